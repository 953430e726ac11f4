//! Triggers made after the full set are not restored (LOG-09).

use super::log_objects::stay_behind;
use crate::checks::Finding;
use crate::history::lens::Lens;
use recovery::model::content::ObjectKind;

/// Judges restores to a point in time at which the source had a trigger that the full set lacks.
pub fn check(lens: &Lens<'_>) -> Finding {
    stay_behind(lens, ObjectKind::Trigger)
}
