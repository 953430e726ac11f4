//! Makes the instances a scenario begins with, with their accounts, settings and content.

use super::operator::{Operator, StepFailed, Stepped};
use crate::history::{Client, Statement, What};
use http::Method;
use jiff::SignedDuration;
use recovery::model::InstanceId;
use recovery::model::instance::BackupPolicy;
use recovery::model::views::InstanceView;
use recovery::ports::database::{Login, Outcome};
use scenarios::{AccountSpec, Credentials, InstanceRole, InstanceSpec, Scenario};
use serde_json::{Map, Value, json};

/// How long the making of an instance may take.
const MAKING: SignedDuration = SignedDuration::from_mins(30);

/// Makes every instance of a scenario, in the file's order.
///
/// # Errors
/// When one of them cannot be made as it says.
pub async fn set_up(operator: &Operator, scenario: &Scenario) -> Stepped {
    for spec in &scenario.instances {
        let view = make(operator, spec).await?;
        configure(operator, spec, &view).await?;
        for account in spec.accounts.iter().skip(1) {
            let answer = operator.post(&format!("/v1/instances/{}/accounts", view.id), &account_body(account)).await?;
            answer.read::<Value>(&format!("account {} on {}", account.name, spec.name))?;
        }
        fill(operator, spec, &view).await?;
    }
    operator.observe().await
}

/// The body that makes an account.
pub fn account_body(account: &AccountSpec) -> Value {
    json!({"name": account.name, "password": account.password.expose(), "grants": account.grants})
}

async fn make(operator: &Operator, spec: &InstanceSpec) -> Stepped<InstanceView> {
    let mut body = json!({
        "product": spec.product, "region": spec.region, "network": spec.network, "billing": spec.billing,
    });
    match &spec.role {
        InstanceRole::Primary => {
            if let Some(first) = spec.accounts.first() {
                body["account"] = account_body(first);
            }
        }
        InstanceRole::ReadOnly { master } => {
            body["role"] = json!("read-only");
            body["master"] = json!(operator.instance(master)?);
        }
        InstanceRole::DisasterRecovery { master } => {
            body["role"] = json!("disaster-recovery");
            body["master"] = json!(operator.instance(master)?);
        }
    }
    let made: InstanceView =
        operator.post("/v1/instances", &body).await?.read(&format!("instance {} made", spec.name))?;
    operator.christen(&spec.name, &made.id);
    operator.until_running(&made.id, MAKING).await
}

async fn configure(operator: &Operator, spec: &InstanceSpec, view: &InstanceView) -> Stepped {
    let mut change = Map::new();
    if let Some(ssl) = spec.ssl {
        change.insert("ssl".into(), json!(ssl));
    }
    if let Some(whitelist) = &spec.whitelist {
        change.insert("whitelist".into(), json!(whitelist));
    }
    if !spec.parameters.is_empty() {
        change.insert("parameters".into(), json!(spec.parameters));
    }
    if let Some(policy) = &spec.backup_policy {
        let policy: BackupPolicy = policy.made_to(view.configuration.backup_policy.clone());
        change.insert("backup_policy".into(), json!(policy));
    }
    if change.is_empty() {
        return Ok(());
    }
    let path = format!("/v1/instances/{}/configuration", view.id);
    let answer = operator.call(Method::PUT, &path, Some(&Value::Object(change)), None).await?;
    answer.read::<Value>(&format!("settings of {}", spec.name)).map(drop)
}

async fn fill(operator: &Operator, spec: &InstanceSpec, view: &InstanceView) -> Stepped {
    let Some(first) = spec.accounts.first() else { return Ok(()) };
    let who = Credentials { account: first.name.clone(), password: first.password.clone() };
    for database in &spec.databases {
        if database.name != "app" && !operator.recorder.is_redis(&view.id) {
            create_database(operator, &view.id, view.endpoint.as_deref(), &who, &database.name).await?;
        }
        if !database.sql.trim().is_empty() {
            let outcome = operator.run_sql(&spec.name, &database.name, &who, &database.sql).await?;
            outcome.map_err(|error| StepFailed::new(format!("{} filled", spec.name), error.to_string()))?;
        }
    }
    Ok(())
}

async fn create_database(
    operator: &Operator,
    id: &InstanceId,
    endpoint: Option<&str>,
    who: &Credentials,
    name: &str,
) -> Stepped {
    let fail = |got: String| StepFailed::new(format!("database {name} made"), got);
    let endpoint = endpoint.ok_or_else(|| fail("no endpoint".into()))?;
    let login = Login { account: who.account.clone(), password: who.password.clone(), ssl: false };
    let sent_at = operator.now();
    let mut session = operator.log_in(id, endpoint, &login).await.map_err(|error| fail(error.to_string()))?;
    session.create_database(name, "utf8").await.map_err(|error| fail(error.to_string()))?;
    let statement = Statement {
        sent_at,
        instance: id.clone(),
        database: name.to_owned(),
        account: who.account.clone(),
        by: Client::Operator,
        sql: format!("create database {name}"),
        outcome: Ok(Outcome { columns: vec![], rows: vec![], affected: 0 }),
    };
    operator.recorder.record(operator.now(), What::Statement(statement));
    Ok(())
}
