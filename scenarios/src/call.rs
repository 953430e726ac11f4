//! Raw calls to the service.

use recovery::model::RefusalCode;

/// `call = { method, path, body, key, token, status, code, contains }`.
#[derive(Debug, Clone, PartialEq)]
pub struct CallStep {
    /// `method`: GET unless given, POST unless given where there is a body.
    pub method: CallMethod,
    /// `path`: `{NAME}` in it stands for the id of what bears that name.
    pub path: Vec<PathPiece>,
    /// `body`: as JSON; a text `{NAME}` in it stands for an id as in the path. Every such name was looked up.
    pub body: Option<serde_json::Value>,
    /// `raw`: a body that is sent as it stands, JSON or not.
    pub raw: Option<String>,
    /// `key`: name of an idempotency key, as for a temporary instance.
    pub key: Option<String>,
    /// `token`: right unless given.
    pub token: CallToken,
    /// `status`: HTTP status it must be answered with.
    pub status: Option<u16>,
    /// `code`: code it must be refused with.
    pub code: Option<RefusalCode>,
    /// `contains`: text the answer's body must hold.
    pub contains: Option<String>,
}

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallMethod {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// Which access token a call bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallToken {
    /// The right one.
    Right,
    /// A wrong one.
    Wrong,
    /// None.
    None,
}

/// A piece of a call's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPiece {
    /// Text as it stands.
    Text(String),
    /// The id of the instance of that name.
    Instance(String),
    /// The id of the backup of that name.
    Backup(String),
    /// The id of the migration task, logical backup task, restore task, data source or set of that name; `TASK set` is
    /// the first set of a logical backup task, which bears the task's name otherwise.
    Task(String),
}
