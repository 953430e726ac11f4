//! How long Redis backups are kept cannot be changed (RED-08; C-25).

use super::RedisViolation;
use crate::checks::Finding;
use crate::history::lens::Lens;

/// Days a backup stays.
const DAYS: u64 = 7;

/// Judges requests for another number of days, and settings that show one.
pub fn check(lens: &Lens<'_>) -> Finding {
    let mut finding = Finding::default();
    for (call, found) in lens.calls_to("PUT /v1/instances/{}/configuration") {
        let Some(story) = lens.redis_instances().find(|story| story.id.as_str() == found[0]) else { continue };
        let days = call.it.request.pointer("/backup_policy/data_retention_days").and_then(serde_json::Value::as_u64);
        let Some(days) = days.filter(|days| *days != DAYS) else { continue };
        let instance = story.id.clone();
        if call.it.accepted() {
            finding.judge(&call, Some(RedisViolation::RetentionChanged { instance, days }));
        } else if call.it.refused() {
            finding.judge(&call, None::<RedisViolation>);
        }
    }
    for story in lens.redis_instances() {
        let days = |days: u16| u64::from(days) != DAYS;
        let other = story.views.iter().find(|seen| days(seen.it.configuration.backup_policy.data_retention_days));
        if let Some(seen) = other {
            let days = u64::from(seen.it.configuration.backup_policy.data_retention_days);
            let instance = story.id.clone();
            finding.judge(seen, Some(RedisViolation::RetentionChanged { instance, days }));
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::redis::made_up::{cache, holds, wrong};
    use crate::checks::testing::Story;
    use serde_json::json;

    fn ask(status: u16) -> Story {
        let mut story = Story::new();
        let body = json!({"backup_policy": {"data_retention_days": 30}});
        story.see(&cache()).call("PUT /v1/instances/r-1/configuration", body, status, json!({"code": "x"}));
        story
    }

    #[test]
    fn another_length_that_is_accepted_is_found() {
        let instance = "r-1".into();
        assert_eq!(wrong(&ask(200), check), vec![RedisViolation::RetentionChanged { instance, days: 30 }]);
    }

    #[test]
    fn an_instance_that_shows_another_length_is_found() {
        let mut view = cache();
        view.configuration.backup_policy.data_retention_days = 14;
        let mut story = Story::new();
        story.see(&view);
        assert!(matches!(wrong(&story, check)[..], [RedisViolation::RetentionChanged { days: 14, .. }]));
    }

    #[test]
    fn a_refusal_holds() {
        holds(&ask(403), check, 1);
    }
}
