//! Servers that a restore has nothing to do with, and how they changed meanwhile (LOG-21, LOG-34).

use super::scene::Scene;
use crate::checks::temporary::Difference;
use crate::checks::temporary::truth::{account_difference, data_difference, untouched};
use crate::history::Shot;
use crate::history::lens::{InstanceStory, Lens, Seen};

/// How a server other than the target changed while a restore ran, where nothing else can have changed it; with the
/// photograph that shows it.
pub fn change<'a>(
    lens: &Lens<'a>,
    scene: &Scene<'_, 'a>,
    story: &InstanceStory<'a>,
) -> Option<(Seen<'a, Shot>, Option<Difference>)> {
    let before = lens.shot_before(story.id, scene.begun)?;
    let after = lens.shot_after(story.id, scene.done.index)?;
    if !untouched(lens, story.id, &before, after.at) {
        return None;
    }
    let (want, got) = (&before.it.photograph, &after.it.photograph);
    Some((after, data_difference(want, got).or_else(|| account_difference(want, got))))
}
