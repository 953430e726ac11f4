//! Advice: transactions of the source that stay open.

use crate::model::Engine;
use crate::model::precheck::{Finding, PrecheckItem};
use crate::ports::database::OpenTransaction;
use crate::worker::precheck::bench::Bench;
use crate::worker::precheck::item::{ASKS_S, About, Item, Looked, Needs, Weight};
use crate::worker::scope::Scope;
use crate::worker::servers::Side;
use jiff::Timestamp;

/// The item.
pub const ITEM: Item<Bench> = Item {
    about: About {
        item: PrecheckItem::AdviseTransaction,
        english: "Open transactions of the source",
        chinese: "源库长事务检查",
        weight: Weight::Advice,
        engines: &[Engine::MySql, Engine::PostgreSql, Engine::Ppas],
        needs: Needs::Full,
        looks_at: "Lists the transactions of the source that are prepared, or open for 5 minutes and longer, where the \
                   account may see them.",
        finds: &["a prepared transaction is neither committed nor rolled back", "a transaction is open for long"],
        remedy: "Commit it or roll it back, or end its session.",
        shieldable: false,
        source: "advice beyond the documents",
    },
    look: |bench| Box::pin(look(bench)),
    limit_s: ASKS_S,
};

/// Seconds from which on a transaction that nobody prepared is open for long.
const LONG_S: i64 = 300;

async fn look(bench: &Bench) -> Looked {
    let now = bench.facts(Side::Source).await?.now;
    let work = bench.work();
    let databases = Scope::new(&work.objects).databases();
    let told = bench.circumstances(Side::Source).await?;
    let (engine, instance) = (work.source.product.engine, &work.source.instance);
    let elsewhere = |open: &OpenTransaction| {
        open.database.as_deref().is_some_and(|database| !databases.iter().any(|selected| *selected == database))
    };
    let lasting = told.transactions.iter().filter(|open| !elsewhere(open) && (open.prepared || is_long(open, now)));
    Ok(lasting.map(|open| finding(open, engine, instance, now)).collect())
}

fn is_long(open: &OpenTransaction, now: Timestamp) -> bool {
    open.since.is_some_and(|since| now.duration_since(since).as_secs() >= LONG_S)
}

fn finding(open: &OpenTransaction, engine: Engine, instance: &str, now: Timestamp) -> Finding {
    let id = &open.id;
    let what =
        if open.prepared { format!("prepared transaction {id}") } else { format!("the transaction of session {id}") };
    let whose = open.account.as_ref().map_or_else(String::new, |account| format!(", of account {account},"));
    let age = open
        .since
        .map_or_else(String::new, |since| format!(" for {} minutes", now.duration_since(since).as_secs().max(0) / 60));
    let cause = format!(
        "{what}{whose} is open on the source {instance}{age}: what it wrote is not copied until it is committed, and what it \
         locked nobody else changes"
    );
    let remedy = if open.prepared {
        format!("Commit or roll back {id} on {instance}, then check again, or go on.")
    } else {
        format!("Have session {id} of {instance} end its transaction, or end the session, then check again, or go on.")
    };
    Finding::new(cause, remedy).by(end(engine, open))
}

/// The statement that ends a transaction: commits what was prepared, which its session was done with, and cuts off what was
/// not.
fn end(engine: Engine, OpenTransaction { id, prepared, .. }: &OpenTransaction) -> String {
    match (engine == Engine::MySql, prepared) {
        (true, true) => format!("XA COMMIT {id}"),
        (true, false) => format!("KILL {id}"),
        (false, true) => format!("COMMIT PREPARED {id}"),
        (false, false) => format!("SELECT pg_terminate_backend({id})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_long_from_five_minutes_on_and_never_where_the_server_does_not_say_since_when() {
        let now: Timestamp = "2026-01-05T08:05:00Z".parse().unwrap_or_default();
        let since = |text: &str| OpenTransaction {
            id: "7".into(),
            prepared: false,
            account: None,
            database: None,
            since: text.parse().ok(),
        };
        assert!(is_long(&since("2026-01-05T08:00:00Z"), now));
        assert!(!is_long(&since("2026-01-05T08:00:01Z"), now));
        assert!(!is_long(&since("nobody knows"), now));
    }

    #[test]
    fn each_engine_ends_a_transaction_by_its_own_statement() {
        let open = |prepared| OpenTransaction {
            id: if prepared { "'x'".into() } else { "7".into() },
            prepared,
            account: None,
            database: None,
            since: None,
        };
        assert_eq!(end(Engine::MySql, &open(true)), "XA COMMIT 'x'");
        assert_eq!(end(Engine::MySql, &open(false)), "KILL 7");
        assert_eq!(end(Engine::PostgreSql, &open(true)), "COMMIT PREPARED 'x'");
        assert_eq!(end(Engine::Ppas, &open(false)), "SELECT pg_terminate_backend(7)");
    }
}
