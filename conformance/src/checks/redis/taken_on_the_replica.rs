//! Snapshots are taken on the replica (RED-03).

use super::RedisViolation;
use super::witness::snapshots;
use crate::checks::Finding;
use crate::checks::temporary::witness::faulted_before;
use crate::history::lens::Lens;
use recovery::model::backup::Node;

/// Looks at the node each complete backup was taken on, and at how many snapshots both nodes took meanwhile where
/// photographs of them tell: a backup of the replica counts there, and none on the master.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for story in lens.redis_backups() {
        let Some(done) = story.complete() else { continue };
        let of = &story.first.instance;
        let first = story.views[0].index;
        let begun = lens.history.events.partition_point(|event| event.at <= story.first.began_at).min(first);
        let counted = |node| snapshots(lens, of, node, begun, done.index);
        let by_master = counted(Node::Master).is_some_and(|(before, after)| after > before);
        let idle = counted(Node::Replica).is_some_and(|(before, after)| after == before);
        let not_by_replica = idle && !faulted_before(lens, done.index);
        let elsewhere = by_master || not_by_replica;
        let (backup, node) = (story.id.clone(), if elsewhere { Some(Node::Master) } else { done.it.node });
        let wrong = elsewhere || done.it.node != Some(Node::Replica);
        finding.judge(&done, wrong.then_some(RedisViolation::TakenElsewhere { backup, node }));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{backed_up, backup, cache, holds, show, take, texts, wrong};
    use crate::checks::testing::Story;
    use crate::history::{Shot, What};

    #[test]
    fn a_backup_taken_on_the_master_is_found() {
        let mut story = Story::new();
        story.see(&cache());
        let view = backup("bk-1", story.now);
        show(&mut story, &recovery::model::views::BackupView { node: Some(Node::Master), ..view });
        let (backup, node) = ("bk-1".into(), Some(Node::Master));
        assert_eq!(wrong(&story, check), vec![RedisViolation::TakenElsewhere { backup, node }]);
    }

    /// A node's photograph with how many snapshots it took.
    fn count(story: &mut Story, node: Node, snapshots: &str) {
        let mut held = texts(&[]);
        held.settings.insert("node.snapshots".into(), snapshots.into());
        let (instance, photograph) = ("r-1".into(), std::sync::Arc::new(held));
        story.push(What::Photograph(Shot { instance, mark: None, photograph, node: Some(node) }));
    }

    /// A backup, and how many snapshots a node had taken before and after it.
    fn counted(node: Node, before: &str, after: &str) -> Story {
        let mut story = Story::new();
        story.see(&cache());
        count(&mut story, node, before);
        story.wait("1s");
        take(&mut story, &texts(&[]));
        count(&mut story, node, after);
        story
    }

    #[test]
    fn a_snapshot_that_the_master_counts_is_found_whatever_the_answer_says() {
        let found = wrong(&counted(Node::Master, "4", "5"), check);
        assert!(matches!(found[..], [RedisViolation::TakenElsewhere { .. }]));
    }

    #[test]
    fn a_snapshot_that_the_replica_does_not_count_is_found_whatever_the_answer_says() {
        let found = wrong(&counted(Node::Replica, "4", "4"), check);
        assert!(matches!(found[..], [RedisViolation::TakenElsewhere { .. }]));
        holds(&counted(Node::Replica, "4", "5"), check, 1);
    }

    #[test]
    fn a_backup_taken_on_the_replica_holds() {
        holds(&backed_up(&texts(&[])), check, 1);
    }
}
