//! Precheck items as manuals list them: all of them in a table, or one with its whole text. Both are read from the
//! registration, so that no list can say otherwise than what runs.

use super::precheck::DETAILS_MIN;
use super::table::{rest, row};
use recovery::worker::precheck::every;
use recovery::worker::precheck::item::{About, Needs, Weight};
use serde_json::json;

/// Places of the columns before what is looked at: code, names, engines, tasks, weight.
const COLUMNS: [usize; 5] = [27, 26, 20, 14, 12];

fn engines(about: &About) -> String {
    about.engines.iter().map(|engine| engine.word()).collect::<Vec<_>>().join(", ")
}

fn tasks(needs: Needs) -> &'static str {
    match needs {
        Needs::Anything => "every task",
        Needs::Load => "tasks with structure or full",
        Needs::Structure => "tasks with structure",
        Needs::Full => "tasks with full",
        Needs::Incremental => "tasks with incremental",
        Needs::Rows => "tasks with full or incremental",
    }
}

/// What an item weighs, in a word or two.
fn weight(about: &About) -> &'static str {
    match (about.weight == Weight::Firm, about.item.shield()) {
        (false, _) if about.item.is_advisory() => "advises",
        (false, _) => "warns",
        (true, None) => "blocks",
        (true, Some(_)) => "blocks, can be shielded",
    }
}

/// Every item as a table in a terminal of that width.
#[must_use]
pub fn list(width: usize) -> String {
    let [code, names, on, of, weighs] = COLUMNS;
    let widths = [code, names, on, of, weighs, rest(width, &COLUMNS).max(DETAILS_MIN)];
    let mut text = row(&["Item", "Name", "Engines", "Tasks", "Finding", "Checked"], &widths);
    for about in every() {
        let names = format!("{}\n{}", about.english, about.chinese);
        let cells = [about.item.code(), &names, &engines(&about), tasks(about.needs), weight(&about), about.looks_at];
        text.push_str(&row(&cells, &widths));
    }
    text
}

/// Every item for programs, one a line.
#[must_use]
pub fn list_json() -> String {
    let line = |about: About| {
        let engines: Vec<&str> = about.engines.iter().map(|engine| engine.word()).collect();
        json!({
            "event": "precheck-item", "item": about.item, "english": about.english, "chinese": about.chinese,
            "engines": engines, "tasks": tasks(about.needs), "warns": about.weight != Weight::Firm,
            "looks_at": about.looks_at, "finds": about.finds, "remedy": about.remedy, "shield": about.item.shield(),
            "source": about.source,
        })
        .to_string()
    };
    every().map(line).collect::<Vec<_>>().join("\n")
}

/// All that is to be said of an item.
#[must_use]
pub fn explain(about: &About, width: usize) -> String {
    let weight = match about.weight {
        Weight::Firm => "what it finds keeps the task from starting",
        Weight::Light => "what it finds is a warning and never keeps the task from starting",
        Weight::Advice => {
            "advisory: what it finds is a warning and never keeps the task from starting; a task leaves it out with \
             without_advice"
        }
    };
    let finds = about.finds.iter().map(|cause| format!("- {cause}\n")).collect::<String>();
    let shield = about.item.shield().map_or_else(|| "cannot be shielded".to_owned(), |why| format!("can be: {why}"));
    let widths = [10, rest(width, &[10]).max(DETAILS_MIN)];
    let lines = [
        ("Item", about.item.code()),
        ("English", about.english),
        ("Chinese", about.chinese),
        ("Engines", &engines(about)),
        ("Tasks", tasks(about.needs)),
        ("Checked", about.looks_at),
        ("Finds", &finds),
        ("Remedy", about.remedy),
        ("Weight", weight),
        ("Shield", &shield),
        ("Source", about.source),
    ];
    lines.iter().map(|(name, text)| row(&[name, text], &widths)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::precheck::item_of;
    use recovery::model::precheck::PrecheckItem;

    #[test]
    fn every_item_is_registered_once_with_all_its_words() {
        for item in PrecheckItem::ALL {
            let known: Vec<About> = every().filter(|about| about.item == *item).collect();
            assert_eq!(known.len(), 1, "{item}");
            let about = known[0];
            for word in [about.english, about.chinese, about.looks_at, about.remedy, about.source] {
                assert!(!word.is_empty(), "{item}");
            }
            assert_eq!(about.shieldable, item.shield().is_some(), "{item}");
            assert!(!about.finds.is_empty() && !about.engines.is_empty(), "{item}");
            assert_eq!(item_of(item.code()), Some(*item));
            assert_eq!(item.is_advisory(), about.weight == Weight::Advice, "{item}");
        }
    }

    #[test]
    fn the_list_names_every_item_in_both_languages() {
        let (text, lines) = (list(160), list_json());
        for about in every() {
            assert!(text.contains(about.item.code()) && lines.contains(about.item.code()), "{}", about.item);
            assert!(lines.contains(about.chinese) && lines.contains(about.english), "{}", about.item);
        }
    }

    #[test]
    fn an_explanation_fits_its_width_and_says_how_much_the_item_weighs() {
        for about in every() {
            let text = explain(&about, 80);
            let wide = text.lines().find(|line| unicode_width::UnicodeWidthStr::width(*line) > 80);
            assert_eq!(wide, None, "{}", about.item);
            assert!(text.contains(about.item.code()) && text.contains(about.chinese), "{text}");
        }
    }
}
