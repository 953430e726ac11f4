//! The HTTP interface: which handler answers to which path, and the OpenAPI document made from the same list.

mod accounts;
mod answers;
mod backups;
mod downloads;
mod guard;
mod instances;
mod internal;
mod logical;
mod requests;
mod restores;
mod settle;
mod sources;
mod tasks;

use crate::model::Secret;
use crate::model::refusal::{Refusal, RefusalCode};
use crate::model::views::Problem;
use crate::ports::{Cloud, Vault};
use crate::service::{Answer, Keeper};
use answers::Refused;
use axum::routing::{get, post};
use axum::{Router, middleware};
use guard::Tokens;
use std::sync::{Arc, LazyLock};
use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};

/// What every handler works with.
pub(crate) struct Api {
    keeper: Arc<Keeper>,
    cloud: Arc<dyn Cloud>,
    vault: Vault,
    tokens: Tokens,
}

/// What a handler gives back.
type Answered = Result<Answer, Refused>;

macro_rules! routes {
    ($($method:ident $path:literal => $module:ident :: $handler:ident),+ $(,)?) => {
        #[derive(OpenApi)]
        #[openapi(
            info(
                title = "Firedrill",
                description = "Database recovery: instances, backups, temporary and clone instances, migration tasks, \
                    logical backup and restore. \
                    A POST that makes something needs an Idempotency-Key; sent again with the same key it gives the \
                    same answer and makes nothing more. A refusal is a problem document with a code.",
                license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
            ),
            paths($($module::$handler),+),
            components(schemas(Problem)),
            security(("bearer" = [])),
        )]
        struct Document;

        /// Method and path of every route of the documented interface.
        pub const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),+];

        fn documented() -> Router<Arc<Api>> {
            Router::new()$(.route($path, axum::routing::$method($module::$handler)))+
        }
    };
}

routes! {
    get "/v1/instances" => instances::list,
    post "/v1/instances" => instances::create,
    get "/v1/instances/{id}" => instances::show,
    delete "/v1/instances/{id}" => instances::release,
    put "/v1/instances/{id}/configuration" => instances::configure,
    get "/v1/instances/{id}/temporary-instances" => instances::list_temporary,
    post "/v1/instances/{id}/temporary-instances" => instances::create_temporary,
    post "/v1/instances/{id}/clones" => instances::create_clones,
    post "/v1/instances/{id}/recovery" => instances::recover,
    get "/v1/migration-sources" => instances::list_sources,
    get "/v1/instances/{id}/accounts" => accounts::list,
    post "/v1/instances/{id}/accounts" => accounts::create,
    put "/v1/instances/{id}/accounts/{name}" => accounts::change,
    delete "/v1/instances/{id}/accounts/{name}" => accounts::remove,
    get "/v1/instances/{id}/backups" => backups::list,
    post "/v1/instances/{id}/backups" => backups::create,
    get "/v1/instances/{id}/restorable" => backups::restorable,
    get "/v1/backups/{id}" => backups::show,
    post "/v1/backups/{id}/download" => downloads::link,
    get "/v1/downloads/{token}" => downloads::file,
    get "/v1/migration-tasks" => tasks::list,
    post "/v1/migration-tasks" => tasks::create,
    get "/v1/migration-tasks/{id}" => tasks::show,
    put "/v1/migration-tasks/{id}" => tasks::edit,
    delete "/v1/migration-tasks/{id}" => tasks::delete,
    put "/v1/migration-tasks/{id}/objects" => tasks::select,
    put "/v1/migration-tasks/{id}/shields" => tasks::shield,
    post "/v1/migration-tasks/{id}/authorise" => tasks::authorise,
    post "/v1/migration-tasks/{id}/precheck" => tasks::precheck,
    post "/v1/migration-tasks/{id}/confirm" => tasks::confirm,
    post "/v1/migration-tasks/{id}/purchase" => tasks::purchase,
    post "/v1/migration-tasks/{id}/start" => tasks::start,
    post "/v1/migration-tasks/{id}/pause" => tasks::pause,
    post "/v1/migration-tasks/{id}/resume" => tasks::resume,
    post "/v1/migration-tasks/{id}/stop" => tasks::stop,
    get "/v1/data-sources" => sources::list,
    post "/v1/data-sources" => sources::create,
    get "/v1/data-sources/{id}" => sources::show,
    delete "/v1/data-sources/{id}" => sources::remove,
    get "/v1/logical-backup-tasks" => logical::list,
    post "/v1/logical-backup-tasks" => logical::create,
    get "/v1/logical-backup-tasks/{id}" => logical::show,
    post "/v1/logical-backup-tasks/{id}/runs" => logical::run,
    post "/v1/logical-backup-tasks/{id}/stop" => logical::stop,
    get "/v1/logical-backup-tasks/{id}/restorable" => logical::restorable,
    get "/v1/logical-backup-sets" => logical::list_sets,
    get "/v1/logical-backup-sets/{id}" => logical::show_set,
    get "/v1/restore-tasks" => restores::list,
    post "/v1/restore-tasks" => restores::create,
    get "/v1/restore-tasks/{id}" => restores::show,
    put "/v1/restore-tasks/{id}" => restores::edit,
    delete "/v1/restore-tasks/{id}" => restores::delete,
    post "/v1/restore-tasks/{id}/precheck" => restores::precheck,
    post "/v1/restore-tasks/{id}/start" => restores::start,
    get "/v1/charges" => tasks::charges,
}

/// The router of the whole service: the documented interface, its document, and the channel of the workers.
pub(crate) fn router(
    keeper: Arc<Keeper>,
    cloud: Arc<dyn Cloud>,
    vault: Vault,
    access_token: &Secret,
    worker_token: &Secret,
) -> Router {
    let api = Arc::new(Api { keeper, cloud, vault, tokens: Tokens::new(access_token, worker_token) });
    documented()
        .route("/openapi.json", get(document))
        .route("/internal/leases", post(internal::lease))
        .route("/internal/leases/{task}", post(internal::report))
        .fallback(async || Refused(Refusal::new(RefusalCode::NotFound, NO_PATH)))
        .method_not_allowed_fallback(async || Refused(Refusal::new(RefusalCode::MethodNotAllowed, NO_METHOD)))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), guard::guard))
        .with_state(api)
}

const NO_PATH: &str = "nothing answers to this path; GET /openapi.json lists the paths there are";
const NO_METHOD: &str = "this path does not take this method; GET /openapi.json lists those it takes";

static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi().to_json().unwrap_or_default());

async fn document() -> Answer {
    Answer { status: 200, body: DOCUMENT.clone() }
}

/// The OpenAPI document of the interface.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    if let Some(components) = &mut document.components {
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
    for path in document.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.put, &mut path.post, &mut path.delete];
        operations.into_iter().flatten().for_each(may_be_refused);
    }
    document
}

/// Every operation may be answered with a problem.
fn may_be_refused(operation: &mut Operation) {
    let problem = ResponseBuilder::new()
        .description("Refused; the code says why, the detail what would do")
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name("Problem"))))
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(problem));
}
