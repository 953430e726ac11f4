//! Accounts as rules of the server's access control, and back. They hold for every database alike: the servers know no
//! rights by database.

use super::line::{Line, elements, text};
use recovery::model::Secret;
use recovery::model::instance::{Grants, Rights};
use recovery::model::views::AccountView;
use recovery::ports::cloud::{AccountOrder, CloudError};
use recovery::ports::database::DatabaseError;
use sha2::{Digest, Sha256};

/// The administrator.
pub(super) const ROOT: &str = "default";

/// The categories each right has, in the order they are said in.
const RULES: [(Rights, &[&str]); 4] = [
    (Rights::None, &["-@all", "+@connection", "+time"]),
    (Rights::ReadOnly, &["-@all", "+@read", "+@connection", "+@transaction", "+info", "+time", "+eval", "+evalsha"]),
    (
        Rights::ReadWrite,
        &["+@all", "-@admin", "-@dangerous", "+restore", "+info", "+keys", "+sort", "+flushdb", "+flushall"],
    ),
    (Rights::Owner, &["+@all"]),
];

pub(super) fn refused(error: DatabaseError) -> CloudError {
    match error {
        DatabaseError::Unreachable(why) => CloudError::Unreachable(why),
        error => CloudError::Failed(error.to_string()),
    }
}

/// A password as the server keeps it.
pub(super) fn kept(password: &Secret) -> String {
    format!("#{}", crate::mysql::hex(&Sha256::digest(password.expose().as_bytes())))
}

/// The lines of all accounts, as the server would read them from a file.
pub(super) async fn lines(line: &mut Line) -> Result<Vec<String>, DatabaseError> {
    Ok(elements(line.one(&[b"ACL", b"LIST"]).await?).iter().map(text).collect())
}

/// Name and rules of an account's line.
pub(super) fn named(line: &str) -> Option<(&str, Vec<&str>)> {
    let mut words = line.split(' ');
    let (Some("user"), Some(name)) = (words.next(), words.next()) else { return None };
    Some((name, words.collect()))
}

/// The rights that rules come to.
fn rights(rules: &[&str]) -> Rights {
    let has = |word: &str| rules.contains(&word);
    match (has("+@all"), has("-@admin"), has("+@read")) {
        (true, false, _) => Rights::Owner,
        (true, true, _) => Rights::ReadWrite,
        (false, _, true) => Rights::ReadOnly,
        _ => Rights::None,
    }
}

/// The accounts, without the administrator's.
pub(super) async fn all(line: &mut Line) -> Result<Vec<AccountView>, DatabaseError> {
    let lines = lines(line).await?;
    let accounts = lines.iter().filter_map(|line| named(line)).filter(|(name, _)| *name != ROOT);
    Ok(accounts
        .map(|(name, rules)| AccountView { name: name.to_owned(), grants: Grants::all(rights(&rules)) })
        .collect())
}

async fn set(line: &mut Line, name: &str, rules: &[&str]) -> Result<(), CloudError> {
    let words: Vec<&[u8]> =
        ["ACL", "SETUSER", name].into_iter().chain(rules.iter().copied()).map(str::as_bytes).collect();
    line.one(&words).await.map_err(refused)?;
    line.one(&[b"ACL", b"SAVE"]).await.map(drop).map_err(refused)
}

async fn granted(line: &mut Line, name: &str, grants: &Grants, first: &[&str]) -> Result<(), CloudError> {
    if grants.exceptions.values().any(|rights| *rights != grants.default) {
        let why = format!("the rights of {name} cannot differ between the databases of a real Redis or Valkey server");
        return Err(CloudError::Failed(why));
    }
    let rules = RULES.iter().find(|(rights, _)| *rights == grants.default).map_or(&[][..], |(_, rules)| *rules);
    let channels: &[&str] = if line.version() >= (6, 2) { &["resetchannels", "&*"] } else { &[] };
    // Commands that were named one by one for the rights before go with the reset of all.
    let all: Vec<&str> =
        [first, &["resetkeys", "~*"], channels, &["-@all"], rules].into_iter().flatten().copied().collect();
    set(line, name, &all).await
}

/// Changes an account.
pub(super) async fn change(line: &mut Line, order: &AccountOrder) -> Result<(), CloudError> {
    let name = match order {
        AccountOrder::Create(account) => &account.name,
        AccountOrder::Password { name, .. } | AccountOrder::Grants { name, .. } | AccountOrder::Drop { name } => name,
    };
    let there = all(line).await.map_err(refused)?.iter().any(|account| account.name == *name);
    match order {
        AccountOrder::Create(_) if there || name == ROOT => return Err(CloudError::AccountExists(name.clone())),
        AccountOrder::Create(account) => {
            return granted(line, name, &account.grants, &["reset", "on", &kept(&account.password)]).await;
        }
        _ if !there => return Err(CloudError::NoSuchAccount(name.clone())),
        AccountOrder::Password { password, .. } => set(line, name, &["resetpass", &kept(password)]).await?,
        AccountOrder::Grants { grants, .. } => return granted(line, name, grants, &[]).await,
        AccountOrder::Drop { .. } => {
            line.one(&[b"ACL", b"DELUSER", name.as_bytes()]).await.map_err(refused)?;
            line.one(&[b"ACL", b"SAVE"]).await.map_err(refused)?;
            // The server ends its sessions itself.
            return Ok(());
        }
    }
    line.one(&[b"CLIENT", b"KILL", b"USER", name.as_bytes()]).await.map(drop).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_say_which_rights_they_are() {
        for (own, rules) in RULES {
            assert_eq!(rights(rules), own);
        }
        let line = "user bob on #2d71 ~* resetchannels +@all -@admin -migrate -sort";
        let (name, rules) = named(line).unwrap_or_default();
        assert_eq!((name, rights(&rules)), ("bob", Rights::ReadWrite));
    }
}
