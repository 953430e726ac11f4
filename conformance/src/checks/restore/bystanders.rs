//! Servers that a restore has nothing to do with, and how they changed meanwhile (LOG-21, LOG-34).

use super::scene::Scene;
use crate::checks::temporary::Difference;
use crate::checks::temporary::truth::{account_difference, data_difference, untouched};
use crate::history::Shot;
use crate::history::lens::{InstanceStory, Lens, Seen};

/// How a server other than the target changed since a restore was saved, or if that cannot be told while it ran, where
/// nothing else can have changed it; with the photograph that shows it.
pub fn change<'a>(
    lens: &Lens<'a>,
    scene: &Scene<'_, 'a>,
    story: &InstanceStory<'a>,
) -> Option<(Seen<'a, Shot>, Option<Difference>)> {
    let after = lens.shot_after(story.id, scene.done.index)?;
    let saved = scene.story.views.first().map_or(scene.begun, |seen| seen.index);
    let mut moments = [saved, scene.begun].into_iter().filter_map(|index| lens.shot_before(story.id, index));
    let before = moments.find(|before| untouched(lens, story.id, before, after.at))?;
    let (want, got) = (&before.it.photograph, &after.it.photograph);
    Some((after, data_difference(want, got).or_else(|| account_difference(want, got))))
}
