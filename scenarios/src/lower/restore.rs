//! Temporary and clone instances: what they are asked to hold and which names they get.

use super::Lower;
use super::book::Kind;
use crate::action::{CloneStep, RestorePoint, TemporaryStep};
use crate::error::{listed, quoted};
use crate::fields::{At, Fields, Word};
use crate::time::{SHIFT_HELP, name_and_shift, shift};
use jiff::{SignedDuration, Timestamp};
use recovery::model::instance::Billing;

impl Lower {
    pub(super) fn temporary(&mut self, fields: &Fields) -> Option<TemporaryStep> {
        let of = self.find(&fields.word("of")?, Kind::Instance)?;
        let restore = self.restore_point(fields);
        let name = self.restored(fields, &of, restore.as_ref(), fields.word("as").into_iter().collect())?.pop();
        let refused = fields.code("refused");
        Some(TemporaryStep {
            of,
            restore: restore?,
            name,
            refused,
            key: fields.text("key"),
            wait: fields.flag("wait").unwrap_or(true),
            covered: fields.flag("covered").unwrap_or(refused.is_none()),
        })
    }

    pub(super) fn clones(&mut self, fields: &Fields) -> Option<CloneStep> {
        let of = self.find(&fields.word("of")?, Kind::Instance)?;
        let restore = self.restore_point(fields);
        let words: Vec<Word<'_>> = fields.word("as").into_iter().chain(fields.words("as")).collect();
        let (count, given) = (fields.whole::<u8>("count"), words.len());
        let ordered = usize::from(count.unwrap_or(1));
        let refused = fields.code("refused");
        if given > 0 && given != ordered && refused.is_none() {
            let message = format!("{ordered} ordered with `count`, and {given} named with `as`");
            self.problems.add(
                &fields.place("as"),
                message,
                "wrong number of names",
                "name every clone that is ordered",
            );
        }
        let names = self.restored(fields, &of, restore.as_ref(), words)?;
        Some(CloneStep {
            of,
            restore: restore?,
            names,
            billing: fields.model("billing").unwrap_or(Billing::PayAsYouGo),
            network: fields.model("network"),
            count,
            terms: fields.flag("terms").unwrap_or(true),
            entry: fields.model("entry"),
            refused,
            key: fields.text("key"),
            wait: fields.flag("wait").unwrap_or(true),
            covered: fields.flag("covered").unwrap_or(refused.is_none()),
        })
    }

    /// Names the restored instances, and notes their accounts: those there were at the recovery point (TMP-06, C-11).
    fn restored(
        &mut self,
        fields: &Fields,
        of: &str,
        restore: Option<&RestorePoint>,
        words: Vec<Word<'_>>,
    ) -> Option<Vec<String>> {
        if fields.has("refused") {
            self.refuse_keys(fields, &["as"], "`refused`", "a refused step makes no instance; leave `as` out");
            return Some(Vec::new());
        }
        let names: Vec<String> = words.iter().map(|word| word.value.to_owned()).collect();
        let key = fields.text("key");
        if let Some(before) = key.as_ref().and_then(|key| self.book.keys.get(key)) {
            if !names.is_empty() && names != *before {
                let message = format!("the same `key` gives the same instance, {} here", listed(before, "and"));
                let help =
                    format!("write the same name, or choose another key than {}", quoted(&fields.text_or("key", "")));
                self.problems.add(&fields.place("as"), message, "another name", help);
            }
            return Some(before.clone());
        }
        if words.is_empty() {
            let help = "add `as = \"NAME\"`, or `refused = \"CODE\"` where it must be refused";
            self.problems.add(&fields.span, "this step gives the new instance no name", "`as` is missing", help);
            return None;
        }
        let (accounts, engine) = (self.book.accounts_restored(of, restore), self.book.engine(of));
        for word in &words {
            if self.declare(word, Kind::Instance) {
                self.book.add_instance(word.value, Some(of.to_owned()), false, engine, accounts.clone());
            }
        }
        if let Some(key) = key {
            self.book.keys.insert(key, names.clone());
        }
        Some(names)
    }

    fn restore_point(&mut self, fields: &Fields) -> Option<RestorePoint> {
        match fields.word("set") {
            Some(set) if set.value == "latest" => Some(RestorePoint::LatestBackup),
            Some(set) => self.find(&set, Kind::Backup).map(RestorePoint::Backup),
            None => self.point_in_time(fields),
        }
    }

    /// What `to` or `at` says.
    pub(super) fn point_in_time(&mut self, fields: &Fields) -> Option<RestorePoint> {
        if let Some(to) = fields.word("to") {
            let mark = self.find(&to, Kind::Mark)?;
            return Some(RestorePoint::Mark { mark, offset: SignedDuration::ZERO });
        }
        self.moment(&fields.word("at")?)
    }

    fn moment(&mut self, at: &Word<'_>) -> Option<RestorePoint> {
        if let Ok(time) = at.value.trim().parse::<Timestamp>() {
            return Some(RestorePoint::Time(time));
        }
        if let Some(moment) = self.book.moment(at.value) {
            return Some(moment);
        }
        let looks_like_time = at.value.trim_start().bytes().take(4).filter(u8::is_ascii_digit).count() == 4;
        if looks_like_time {
            let message = format!("{} is no moment", quoted(at.value));
            let help = "write a date and a time with its offset, `2026-01-05T09:30:00Z`";
            self.problems.add(&at.span, message, "not accepted", help);
        } else if let Some(said) = self.book.wrong_shift(at.value) {
            self.problems.add(&at.span, said, "not accepted", SHIFT_HELP);
        } else {
            let name = At { span: at.span.clone(), value: name_and_shift(at.value).0 };
            self.unknown(&name, "mark", &[Kind::Mark]);
        }
        None
    }
}

impl super::Book {
    /// `MARK - 1s`, `earliest`, `latest + 1s`, `now - 8d`.
    pub(crate) fn moment(&self, text: &str) -> Option<RestorePoint> {
        let (name, offset) = match self.is(text.trim(), Kind::Mark) {
            true => (text.trim(), SignedDuration::ZERO),
            false => name_and_shift(text),
        };
        match name {
            mark if self.is(mark, Kind::Mark) => Some(RestorePoint::Mark { mark: mark.into(), offset }),
            "earliest" => Some(RestorePoint::Earliest(offset)),
            "latest" => Some(RestorePoint::Latest(offset)),
            "now" => Some(RestorePoint::Now(offset)),
            _ => None,
        }
    }

    /// What is wrong with the shift where a known moment and a sign stand before it.
    pub(super) fn wrong_shift(&self, text: &str) -> Option<String> {
        let moments = self.all(Kind::Mark).into_iter().chain(["earliest", "latest", "now"]);
        let after = |moment: &str| {
            let rest = text.trim().strip_prefix(moment)?.trim_start();
            rest.starts_with(['-', '+']).then(|| shift(rest).err())?
        };
        moments.filter_map(after).next()
    }
}
