//! The rule catalogue: every documented rule, where it stands, what would violate it and which check judges it.
//!
//! The rules are data in `conformance/rules/*.toml`, one file a group; this reads them once and answers questions.

use recovery::model::{Edition, Engine, Product, Version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

/// The groups of rules, one for each subject, in the order of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Group {
    /// Temporary instance to master, for any engine.
    Tmp,
    /// Temporary instance to master, SQL Server.
    Sql,
    /// Clone instance to master.
    Cln,
    /// Logical restore.
    Log,
    /// Backup and recovery of Redis.
    Red,
    /// The migration task.
    Dts,
    /// What must be so in every run: Firedrill's own, not among the documented rules.
    Inv,
}

/// Groups with the beginning of their ids, their file and its text.
const GROUPS: [(Group, &str, &str, &str); 6] = [
    (Group::Tmp, "TMP", "tmp.toml", include_str!("../rules/tmp.toml")),
    (Group::Sql, "SQL", "sql.toml", include_str!("../rules/sql.toml")),
    (Group::Cln, "CLN", "cln.toml", include_str!("../rules/cln.toml")),
    (Group::Log, "LOG", "log.toml", include_str!("../rules/log.toml")),
    (Group::Red, "RED", "red.toml", include_str!("../rules/red.toml")),
    (Group::Dts, "DTS", "dts.toml", include_str!("../rules/dts.toml")),
];

/// The invariants: their group, the beginning of their ids, their file and its text.
const INVARIANTS: [(Group, &str, &str, &str); 1] =
    [(Group::Inv, "INV", "invariants.toml", include_str!("../rules/invariants.toml"))];

const CONTRADICTIONS: (&str, &str) = ("contradictions.toml", include_str!("../rules/contradictions.toml"));

impl Group {
    /// What the ids of the group begin with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        GROUPS.iter().chain(&INVARIANTS).find(|(group, ..)| *group == self).map_or("", |(_, prefix, ..)| prefix)
    }

    /// All groups of documented rules in the order of the catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        GROUPS.iter().map(|(group, ..)| *group)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.prefix())
    }
}

/// How much a rule binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Breaking it is a defect.
    Must,
    /// Advice; breaking it is worth a hint.
    Should,
    /// Navigation or motive.
    Info,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Info => "INFO",
        })
    }
}

/// What data is recovered by way of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A temporary instance, or a migration that reads one.
    Temporary,
    /// A clone, or a migration that reads one.
    Clone,
}

/// What counts for a rule; empty means everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Engine of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// Version of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Edition of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<Edition>,
    /// The instance's product, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// By way of what a migration recovers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl Scope {
    /// Whether an instance of this product is inside.
    #[must_use]
    pub fn admits(&self, product: &Product) -> bool {
        self.engine.is_none_or(|engine| engine == product.engine)
            && self.version.is_none_or(|version| version == product.version)
            && self.edition.is_none_or(|edition| edition == product.edition)
            && self.product.is_none_or(|wanted| wanted == *product)
    }
}

/// How a rule is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "judged", rename_all = "kebab-case")]
pub enum Judged {
    /// By a check.
    Check {
        /// Name of the check.
        name: String,
        /// Which of its findings count for this rule.
        scope: Scope,
    },
    /// Not at all: it cannot be seen from outside.
    NotObservable {
        /// Why not.
        reason: String,
    },
}

/// One documented rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Id, for example `TMP-11`.
    pub id: String,
    /// Group.
    pub group: Group,
    /// How much it binds.
    pub level: Level,
    /// Document or documents it stands in.
    pub document: String,
    /// Place in the document.
    pub section: String,
    /// What it says, in our words.
    pub text: String,
    /// What would be seen if it were broken; empty where nothing can be seen.
    pub violation: String,
    /// Resolutions of contradictions it is read by, for example `C-05`.
    pub resolution: Vec<String>,
    /// How it is judged.
    pub judged: Judged,
}

impl Rule {
    /// The check that judges it and which of its findings count, if a check does.
    #[must_use]
    pub fn check(&self) -> Option<(&str, &Scope)> {
        match &self.judged {
            Judged::Check { name, scope } => Some((name, scope)),
            Judged::NotObservable { .. } => None,
        }
    }
}

/// A contradiction between or within the documents, and how it is resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// Id, for example `C-05`.
    pub id: String,
    /// What it is about.
    pub topic: String,
    /// What holds here.
    pub resolution: String,
}

/// All rules and contradictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    rules: Vec<Rule>,
    invariants: Vec<Rule>,
    contradictions: Vec<Contradiction>,
}

/// What is wrong with a file of the catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file cannot be read as what it should be.
    #[error("conformance/rules/{file} cannot be read: {error}")]
    Unreadable {
        /// The file.
        file: &'static str,
        /// What the reader said.
        error: Box<toml::de::Error>,
    },
    /// An id is out of order.
    #[error("conformance/rules/{file} has {found} where {wanted} should stand; number the entries without a gap")]
    OutOfOrder {
        /// The file.
        file: &'static str,
        /// The id that stands there.
        found: String,
        /// The id that should.
        wanted: String,
    },
    /// A rule is judged by nothing or in two ways.
    #[error("{rule} needs exactly one of check and not_observable, and where only beside check; mend its entry")]
    Judgement {
        /// The rule.
        rule: String,
    },
    /// A rule names a resolution that is not there.
    #[error("{rule} names {resolution}, which is not in contradictions.toml; write it there or correct the name")]
    NoSuchResolution {
        /// The rule.
        rule: String,
        /// What it names.
        resolution: String,
    },
}

/// The catalogue of this version.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    // The files are part of the program, and a test reads them: a program that passed it cannot fail here.
    static CATALOGUE: LazyLock<Catalogue> =
        LazyLock::new(|| match Catalogue::read(&GROUPS, &INVARIANTS, CONTRADICTIONS) {
            Ok(catalogue) => catalogue,
            Err(error) => panic!("{error}"),
        });
    &CATALOGUE
}

impl Catalogue {
    /// All documented rules, group by group, in the order of their ids.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What must be so in every run, beside the documented rules.
    #[must_use]
    pub fn invariants(&self) -> &[Rule] {
        &self.invariants
    }

    /// The rule of this id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Ids of all rules.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<String> {
        self.rules.iter().map(|rule| rule.id.clone()).collect()
    }

    /// All contradictions in the order of their ids.
    #[must_use]
    pub fn contradictions(&self) -> &[Contradiction] {
        &self.contradictions
    }

    /// The contradiction of this id.
    #[must_use]
    pub fn contradiction(&self, id: &str) -> Option<&Contradiction> {
        self.contradictions.iter().find(|contradiction| contradiction.id == id)
    }

    /// Names of all checks that rules are judged by.
    #[must_use]
    pub fn check_names(&self) -> BTreeSet<&str> {
        self.rules.iter().filter_map(|rule| rule.check().map(|(name, _)| name)).collect()
    }

    /// The rules a check judges.
    pub fn rules_of<'a>(&'a self, check: &'a str) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.check().is_some_and(|(name, _)| name == check))
    }

    fn read(
        groups: &[(Group, &str, &'static str, &str)],
        invariants: &[(Group, &str, &'static str, &str)],
        contradictions: (&'static str, &str),
    ) -> Result<Self, CatalogueError> {
        let (file, text) = contradictions;
        let WrittenContradictions { contradiction: contradictions } = parse(file, text)?;
        in_order(file, "C", contradictions.iter().map(|contradiction| contradiction.id.as_str()))?;
        let known: BTreeSet<&str> = contradictions.iter().map(|contradiction| contradiction.id.as_str()).collect();
        let read = |groups: &[(Group, &str, &'static str, &str)]| {
            let mut rules = Vec::new();
            for &(group, prefix, file, text) in groups {
                let written: WrittenRules = parse(file, text)?;
                in_order(file, prefix, written.rule.iter().map(|rule| rule.id.as_str()))?;
                for rule in written.rule {
                    rules.push(rule.judge(group, &known)?);
                }
            }
            Ok(rules)
        };
        let (rules, invariants) = (read(groups)?, read(invariants)?);
        Ok(Self { rules, invariants, contradictions })
    }
}

fn parse<T: for<'de> Deserialize<'de>>(file: &'static str, text: &str) -> Result<T, CatalogueError> {
    toml::from_str(text).map_err(|error| CatalogueError::Unreadable { file, error: Box::new(error) })
}

fn in_order<'a>(file: &'static str, prefix: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), CatalogueError> {
    for (number, found) in (1..).zip(ids) {
        let wanted = format!("{prefix}-{number:02}");
        if found != wanted {
            return Err(CatalogueError::OutOfOrder { file, found: found.to_owned(), wanted });
        }
    }
    Ok(())
}

/// A file of rules as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRules {
    rule: Vec<WrittenRule>,
}

/// The file of contradictions as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenContradictions {
    contradiction: Vec<Contradiction>,
}

/// A rule as it is written, before its judgement is known to be one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: String,
    level: Level,
    document: String,
    section: String,
    text: String,
    #[serde(default)]
    violation: String,
    #[serde(default)]
    resolution: Vec<String>,
    check: Option<String>,
    #[serde(rename = "where")]
    scope: Option<Scope>,
    not_observable: Option<String>,
}

impl WrittenRule {
    fn judge(self, group: Group, known: &BTreeSet<&str>) -> Result<Rule, CatalogueError> {
        let judged = match (self.check, self.scope, self.not_observable) {
            (Some(name), scope, None) => Judged::Check { name, scope: scope.unwrap_or_default() },
            (None, None, Some(reason)) => Judged::NotObservable { reason },
            _ => return Err(CatalogueError::Judgement { rule: self.id }),
        };
        if let Some(resolution) = self.resolution.iter().find(|resolution| !known.contains(resolution.as_str())) {
            return Err(CatalogueError::NoSuchResolution { rule: self.id, resolution: resolution.clone() });
        }
        Ok(Rule {
            id: self.id,
            group,
            level: self.level,
            document: self.document,
            section: self.section,
            text: self.text,
            violation: self.violation,
            resolution: self.resolution,
            judged,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_CONTRADICTIONS: (&str, &str) = ("contradictions.toml", "contradiction = []");

    fn read_one(entry: &str) -> Result<Catalogue, CatalogueError> {
        let text = format!(
            "[[rule]]\nid = 'TMP-01'\nlevel = 'MUST'\ndocument = 'd'\nsection = 's'\ntext = 't'\nviolation = 'v'\n{entry}"
        );
        Catalogue::read(&[(Group::Tmp, "TMP", "tmp.toml", &text)], &[], NO_CONTRADICTIONS)
    }

    fn levels(group: Group) -> [usize; 3] {
        [Level::Must, Level::Should, Level::Info]
            .map(|level| catalogue().rules().iter().filter(|rule| rule.group == group && rule.level == level).count())
    }

    #[test]
    fn the_files_of_this_version_can_be_read() {
        let read = Catalogue::read(&GROUPS, &INVARIANTS, CONTRADICTIONS);
        assert!(read.is_ok(), "{}", read.err().map(|error| error.to_string()).unwrap_or_default());
    }

    #[test]
    fn there_are_251_rules_at_their_documented_levels() {
        assert_eq!(catalogue().rules().len(), 251);
        let found: Vec<(Group, [usize; 3])> = Group::all().map(|group| (group, levels(group))).collect();
        let wanted = [
            (Group::Tmp, [35, 4, 10]),
            (Group::Sql, [35, 3, 9]),
            (Group::Cln, [36, 2, 10]),
            (Group::Log, [48, 1, 5]),
            (Group::Red, [21, 3, 5]),
            (Group::Dts, [20, 3, 1]),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn every_invariant_has_a_check_of_its_own_and_is_no_documented_rule() {
        let named: Vec<&str> =
            catalogue().invariants().iter().filter_map(|it| it.check().map(|(name, _)| name)).collect();
        let there: Vec<&str> = crate::checks::invariants().map(|check| check.name).collect();
        assert_eq!(named, there);
        for invariant in catalogue().invariants() {
            assert_eq!((invariant.group, invariant.level), (Group::Inv, Level::Must));
            assert!(invariant.text.ends_with('.') && invariant.violation.ends_with('.'), "{}", invariant.id);
            assert_eq!(catalogue().rule(&invariant.id), None);
            assert!(crate::checks::all().all(|check| invariant.check().map(|(name, _)| name) != Some(check.name)));
        }
    }

    #[test]
    fn no_id_stands_twice() {
        assert_eq!(catalogue().ids().len(), catalogue().rules().len());
        assert!(catalogue().rules().iter().all(|rule| catalogue().rule(&rule.id) == Some(rule)));
        assert_eq!(catalogue().rule("TMP-50"), None);
    }

    #[test]
    fn every_rule_says_what_it_is_and_where_it_stands() {
        for rule in catalogue().rules() {
            assert!(rule.id.starts_with(rule.group.prefix()), "{}", rule.id);
            assert!(rule.text.len() > 15 && rule.text.ends_with('.'), "{}: {}", rule.id, rule.text);
            assert!(!rule.document.is_empty() && !rule.section.is_empty(), "{}", rule.id);
        }
    }

    #[test]
    fn what_can_be_seen_has_a_violation_and_what_cannot_has_a_reason() {
        for rule in catalogue().rules() {
            match &rule.judged {
                Judged::NotObservable { reason } => {
                    assert!(reason.chars().count() >= 25, "{}: {reason}", rule.id);
                    assert_eq!(rule.violation, "", "{}", rule.id);
                    assert_ne!(rule.level, Level::Must, "{}", rule.id);
                }
                Judged::Check { .. } => {
                    assert!(rule.violation.ends_with('.'), "{}: {}", rule.id, rule.violation);
                }
            }
        }
    }

    #[test]
    fn every_check_that_a_rule_names_is_there_and_every_check_judges_a_rule() {
        let named = catalogue().check_names();
        let there: BTreeSet<&str> = crate::checks::all().map(|check| check.name).collect();
        assert_eq!(named, there);
    }

    #[test]
    fn every_contradiction_is_resolved_and_some_rule_is_read_by_it() {
        assert_eq!(catalogue().contradictions().len(), 34);
        for contradiction in catalogue().contradictions() {
            assert!(contradiction.resolution.ends_with('.'), "{}", contradiction.id);
            let named = catalogue().rules().iter().any(|rule| rule.resolution.contains(&contradiction.id));
            assert!(named, "{} is named by no rule", contradiction.id);
        }
        assert_eq!(catalogue().contradiction("C-05").map(|found| found.topic.as_str()), Some("The 48 hours"));
    }

    #[test]
    fn an_entry_judged_twice_or_not_at_all_is_refused() {
        assert!(read_one("check = 'a'").is_ok());
        for entry in ["", "check = 'a'\nnot_observable = 'b'", "not_observable = 'b'\nwhere = { source = 'clone' }"] {
            let rule = "TMP-01".to_owned();
            assert_eq!(
                read_one(entry).map_err(|error| error.to_string()),
                Err(CatalogueError::Judgement { rule }.to_string())
            );
        }
    }

    #[test]
    fn a_resolution_that_is_not_there_is_refused() {
        let error = read_one("check = 'a'\nresolution = ['C-77']").map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("TMP-01 names C-77")));
    }

    #[test]
    fn a_missing_number_and_an_unknown_field_are_refused() {
        let gap = Catalogue::read(
            &[(Group::Tmp, "TMP", "tmp.toml", "rule = []")],
            &[],
            ("c", "[[contradiction]]\nid = 'C-02'\ntopic = 't'\nresolution = 'r'"),
        );
        assert!(matches!(gap, Err(CatalogueError::OutOfOrder { wanted, .. }) if wanted == "C-01"));
        assert!(matches!(read_one("cheque = 'a'"), Err(CatalogueError::Unreadable { .. })));
        assert!(matches!(
            read_one("check = 'a'\nwhere = { product = 'mysql 4.0' }"),
            Err(CatalogueError::Unreadable { .. })
        ));
    }

    #[test]
    fn a_scope_admits_only_what_it_names() {
        let admits = |rule: &str, product: &str| {
            let scope = catalogue().rule(rule).and_then(Rule::check).map(|(_, scope)| scope);
            scope.zip(product.parse().ok()).is_some_and(|(scope, product)| scope.admits(&product))
        };
        assert!(admits("SQL-06", "sqlserver 2012 web") && admits("SQL-06", "sqlserver 2016 web"));
        assert!(!admits("SQL-06", "sqlserver 2012 enterprise basic") && !admits("SQL-06", "mysql 5.7"));
        assert!(admits("SQL-05", "sqlserver 2012 enterprise basic") && !admits("SQL-05", "sqlserver 2012 enterprise"));
        assert!(admits("CLN-08", "sqlserver 2012 standard") && !admits("CLN-08", "sqlserver 2016 standard"));
        assert!(admits("TMP-11", "postgresql 9.4"));
    }

    #[test]
    fn no_check_looks_away_because_of_scopes() {
        // The kinds that may be cloned are listed one by one; looking before putting back is advised for temporary
        // instances alone.
        let narrow = ["clone_kinds_are_admitted", "verified_before_put_back"];
        for name in catalogue().check_names() {
            let wide = |rule: &Rule| rule.check().is_some_and(|(_, scope)| *scope == Scope::default());
            assert_ne!(catalogue().rules_of(name).any(wide), narrow.contains(&name), "{name}");
        }
    }

    #[test]
    fn checks_are_shared_between_sentences() {
        let names = catalogue().check_names();
        let judged = catalogue().rules().iter().filter(|rule| rule.check().is_some()).count();
        assert!(names.len() > 60 && 2 * judged > 3 * names.len(), "{} checks for {judged} rules", names.len());
        assert!(names.iter().all(|name| catalogue().rules_of(name).next().is_some()));
    }
}
