//! Snapshots are taken on the replica (RED-03).

use super::RedisViolation;
use super::witness::snapshots;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::backup::Node;

/// Looks at the node each complete backup was taken on, and at how many snapshots both nodes took meanwhile where
/// photographs of them tell.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.redis_backups() {
        let Some(done) = story.complete() else { continue };
        let of = &story.first.instance;
        let first = story.views[0].index;
        let rose = |node| {
            let begun = lens.history.events.partition_point(|event| event.at <= story.first.began_at).min(first);
            snapshots(lens, of, node, begun, done.index).is_some_and(|(before, after)| after > before)
        };
        let on_master = done.it.node != Some(Node::Replica) || rose(Node::Master);
        let (backup, node) = (story.id.clone(), if rose(Node::Master) { Some(Node::Master) } else { done.it.node });
        finding.judge(&done, on_master.then_some(RedisViolation::TakenElsewhere { backup, node }));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, backup, cache, holds, show, take, texts, wrong};
    use crate::checks::testing::Story;

    #[test]
    fn a_backup_taken_on_the_master_is_found() {
        let mut story = Story::new();
        story.see(&cache());
        let view = backup("bk-1", story.now);
        show(&mut story, &recovery::model::views::BackupView { node: Some(Node::Master), ..view });
        let (backup, node) = ("bk-1".into(), Some(Node::Master));
        assert_eq!(wrong(&story, check), vec![RedisViolation::TakenElsewhere { backup, node }]);
    }

    #[test]
    fn a_snapshot_that_the_master_counts_is_found_whatever_the_answer_says() {
        let counted = |count: &str| {
            let mut held = texts(&[]);
            held.settings.insert("snapshots".into(), count.into());
            held
        };
        let mut story = Story::new();
        story.see(&cache()).shot("r-1", &counted("4")).wait("1s");
        take(&mut story, &counted("5"));
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::TakenElsewhere { .. }]));
    }

    #[test]
    fn a_backup_taken_on_the_replica_holds() {
        holds(&backed_up(&texts(&[])), check, 1);
    }
}
