//! Precheck item: the source makes no passwords of the format before MySQL 4.1, with which nobody logs in to a later server.

use super::bench::Bench;
use super::item::{About, Item, Looked, Needs};
use super::server_id;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::worker::servers::Side;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::PasswordFormat,
        english: "Old password format",
        chinese: "源库旧密码格式检查",
        needs: Needs::Anything,
        looks_at: "Reads old_passwords of the source.",
        finds: &["the source makes passwords of the format before MySQL 4.1"],
        remedy: "Set old_passwords to 0 and set the password of the account again.",
        shieldable: false,
        source: "prechecks.md 2.1 item 15 (code only)",
        ..server_id::ITEM.about
    },
    look: |bench| Box::pin(look(bench)),
    ..server_id::ITEM
};

/// Values that mean the old format; 2 means one that is newer.
const OLD: [&str; 2] = ["1", "ON"];

async fn look(bench: &Bench) -> Looked {
    let found = bench.parameter(Side::Source, "old_passwords").await?;
    let Some(found) = found.filter(|found| OLD.iter().any(|old| old.eq_ignore_ascii_case(found.trim()))) else {
        return Ok(Vec::new());
    };
    let access = bench.access(Side::Source);
    let (instance, account) = (&access.instance, &access.login.account);
    let cause = format!(
        "old_passwords of the source {instance} is {found}: passwords get the format before MySQL 4.1, which later \
         servers and clients refuse"
    );
    let remedy = format!(
        "Set old_passwords of {instance} to 0 and set the password of account {account} again, then start again."
    );
    Ok(vec![Finding::new(cause, remedy).by("SET GLOBAL old_passwords = 0")])
}
