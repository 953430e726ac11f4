//! Small worlds in which an item of a precheck comes to a given outcome on a given engine.

use recovery::model::Engine;
use recovery::model::precheck::PrecheckItem as I;

/// What an item comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Passed,
    Warned,
    Failed,
    Shielded,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Shielded => "shielded",
        }
    }
}

/// Combinations that the registration allows and no world can show, each with the reason.
pub const CANNOT_BE: &[(I, Option<Engine>, Outcome, &str)] = &[
    (I::RestoreEngineMatch, None, Outcome::Failed, "the service refuses such a restore before it is checked (LOG-04)"),
    (
        I::RestoreLogCoverage,
        None,
        Outcome::Failed,
        "no fault of a scenario reaches a log set; tests of workers show it",
    ),
    (I::RestoreNameCase, Some(Engine::SqlServer), Outcome::Warned, "how names are told apart is a parameter of MySQL"),
    (I::RestoreNameCase, Some(Engine::PostgreSql), Outcome::Warned, "how names are told apart is a parameter of MySQL"),
    (I::RestoreNameCase, Some(Engine::Ppas), Outcome::Warned, "how names are told apart is a parameter of MySQL"),
];

const SHOP: &str = "create table customers (id int primary key, name varchar(40));
create table orders (id int primary key, item varchar(40), customer int, constraint bought foreign key (customer) references customers (id));
insert into customers values (1, 'Ada');
insert into orders values (1, 'lamp', 1), (2, 'desk', 1)";

/// A mode under which statements read as they always do.
const PLAIN_MODE: &str = "sql_mode = \"STRICT_TRANS_TABLES\"";

/// Two servers and what is asked between them.
struct World {
    /// Products of source and target.
    products: (&'static str, &'static str),
    /// What source and target hold.
    sql: (String, Option<String>),
    /// Parameters of source and target, as TOML.
    parameters: (String, String),
    /// Steps before the precheck, as TOML.
    before: Vec<String>,
    /// What is moved, and how the task logs in, as TOML keys of `migrate`.
    objects: &'static str,
    login: &'static str,
    from: &'static str,
    into: &'static str,
    /// Further instances, as TOML.
    more: String,
    types: &'static str,
}

/// A newer and an older version of an engine; the older one is what every other world is of.
fn versions(engine: Engine) -> (&'static str, &'static str) {
    match engine {
        Engine::MySql => ("mysql 8.0", "mysql 5.7"),
        Engine::SqlServer => ("sqlserver 2016 web", "sqlserver 2012 web"),
        Engine::PostgreSql => ("postgresql 11", "postgresql 10"),
        Engine::Ppas => ("ppas 10", "ppas 9.3"),
        Engine::Redis => ("redis 5.0", "redis 4.0"),
    }
}

impl World {
    fn new(engine: Engine) -> Self {
        let product = versions(engine).1;
        let redis = engine == Engine::Redis;
        Self {
            products: (product, product),
            sql: (if redis { "set basket 1".into() } else { SHOP.into() }, (!redis).then(String::new)),
            parameters: (String::new(), String::new()),
            // A log of SQL Server can be followed from a full backup on.
            before: if engine == Engine::SqlServer { vec!["backup = \"shop\"".into()] } else { vec![] },
            objects: if redis { "databases = [\"0\"]" } else { "objects = [\"customers\", \"orders\"]" },
            login: "",
            from: "shop",
            into: "depot",
            more: String::new(),
            types: if redis { "[\"full\", \"incremental\"]" } else { "[\"structure\", \"full\", \"incremental\"]" },
        }
    }

    /// Makes the item find something; false where nobody said how.
    fn spoil(&mut self, item: I, engine: Engine) -> bool {
        let (newer, older) = versions(engine);
        let source = |text: &str| (text.to_owned(), String::new());
        let both = |source: &str, target: &str| (source.to_owned(), target.to_owned());
        let target = |text: &str| (String::new(), text.to_owned());
        match item {
            I::SourceConnectivity => self.login = "source = { account = \"app\", password = \"wrong-one\" }",
            I::TargetConnectivity => self.login = "target = { account = \"app\", password = \"wrong-one\" }",
            I::SourcePermission => self.login = "source = { account = \"clerk\" }",
            I::TargetPermission => self.login = "target = { account = \"clerk\" }",
            I::SourceVersion => self.products = (newer, older),
            I::SchemaExistence => self.objects = "objects = [\"orders\", \"customers\", \"nowhere\"]",
            I::SameNameObject => self.sql.1 = Some("create table orders (id int primary key)".into()),
            I::ConstraintIntegrity => self.objects = "objects = [\"orders\"]",
            I::TargetEmpty => self.sql.1 = Some("set mine 1".into()),
            I::EvictionPolicy => self.parameters = target("maxmemory-policy = \"allkeys-lru\""),
            I::BinlogOn => self.parameters = source("log_bin = \"OFF\""),
            I::BinlogMode => self.parameters = source("binlog_format = \"MIXED\""),
            I::BinlogRowImage => self.parameters = source("binlog_row_image = \"MINIMAL\""),
            I::ServerId => self.parameters = source("server_id = \"1\""),
            I::BinlogExistence => self.act("fault = { log_file_lost = \"shop\" }"),
            I::StorageEngine => {
                self.hold("create table prices (id int primary key) engine=MRG_MYISAM");
                self.objects = "objects = [\"customers\", \"orders\", \"prices\"]";
            }
            I::PasswordFormat => self.parameters = source("old_passwords = \"ON\""),
            I::SqlMode => self.parameters = both(PLAIN_MODE, "sql_mode = \"ANSI_QUOTES\""),
            I::TargetTablesEmpty => {
                self.sql.1 = Some(SHOP.into());
                self.types = "[\"full\"]";
            }
            I::RecoveryModel => self.act("sql = { on = \"shop\", run = \"alter database app set recovery simple\" }"),
            I::TargetSuper => {
                let card = "insert into orders values (new.id, 'card', new.id)";
                self.hold(&format!("create trigger welcome after insert on customers for each row begin {card}; end"));
                self.objects = "databases = [\"app\"]";
                self.parameters = target("log_bin_trust_function_creators = \"OFF\"");
            }
            I::Topology => {
                if engine == Engine::SqlServer {
                    self.act("backup = \"depot\"");
                }
                self.act(
                    "migrate = { from = \"depot\", into = \"shop\", databases = [\"DB\"], types = [\"incremental\"], as = \"back\", \
                     until = \"running\" }"
                        .replace("DB", if engine == Engine::Redis { "0" } else { "app" })
                        .as_str(),
                );
            }
            I::Superuser | I::Psync => self.login = "source = { account = \"clerk\" }",
            _ => return self.advise(item, engine) || self.spoil_restore(item, engine),
        }
        true
    }

    /// The same for advice.
    fn advise(&mut self, item: I, engine: Engine) -> bool {
        let target = |text: &str| (String::new(), text.to_owned());
        match item {
            I::AdviseKey => {
                self.hold("create table keyless (a int, b varchar(10))");
                self.objects = "objects = [\"keyless\"]";
            }
            I::AdviseOrphans if engine == Engine::MySql => {
                self.hold("set foreign_key_checks = 0; insert into orders values (3, 'chair', 9)");
            }
            I::AdviseOrphans if matches!(engine, Engine::PostgreSql | Engine::Ppas) => {
                let key = "constraint bought foreign key (customer) references customers (id)";
                for run in [
                    "alter table orders drop constraint bought; insert into orders values (3, 'chair', 9)",
                    &format!("alter table orders add {key} not valid"),
                ] {
                    self.act(&format!("sql = {{ on = \"shop\", run = \"{run}\" }}"));
                }
            }
            I::AdviseOrphans => {
                self.hold("alter table orders nocheck constraint bought; insert into orders values (3, 'chair', 9)");
            }
            I::AdviseCircle => {
                self.hold("create table b (id int primary key, a int)");
                self.hold(
                    "create table a (id int primary key, b int, constraint a_b foreign key (b) references b (id))",
                );
                self.hold("alter table b add constraint b_a foreign key (a) references a (id)");
                self.objects = "objects = [\"customers\", \"a\", \"b\"]";
            }
            I::AdviseIdentity => {
                let kind = match engine {
                    Engine::MySql => "int auto_increment primary key",
                    Engine::SqlServer => "int identity(1,1) primary key",
                    Engine::PostgreSql | Engine::Ppas | Engine::Redis => "serial primary key",
                };
                self.hold(&format!("create table bills (id {kind}, item varchar(40))"));
                self.objects = "objects = [\"customers\", \"bills\"]";
            }
            I::AdviseSequence => {
                self.hold("create sequence numbers");
                self.objects = "databases = [\"app\"]";
            }
            I::AdviseDefiner => {
                let boss = "name = \"boss\", password = \"boss-pass\"";
                self.act(&format!("account = {{ on = \"shop\", create = {{ {boss}, rights = \"owner\" }} }}"));
                let view = "create view lamps as select id from orders where item = 'lamp'";
                self.act(&format!("sql = {{ on = \"shop\", account = \"boss\", run = \"{view}\" }}"));
                self.objects = "databases = [\"app\"]";
            }
            I::AdviseNameCase => {
                self.hold("create table Bills (id int primary key)");
                self.objects = "objects = [\"customers\", \"Bills\"]";
                self.parameters = target("lower_case_table_names = \"1\"");
            }
            I::AdviseCharset => {
                let collation = |of: &str| format!("collation_server = \"{of}\"");
                self.parameters = (collation("utf8_general_ci"), collation("utf8_bin"));
            }
            I::AdviseTypes => {
                self.hold("create table stamps (id int primary key, version rowversion)");
                self.objects = "objects = [\"customers\", \"stamps\"]";
            }
            I::AdviseSpace => {
                self.act("fault = { disk_full = \"machine of depot\", for = \"3h\", background = true }");
            }
            I::AdviseReplica => {
                let product = self.products.0;
                self.more =
                    format!("[instances.reader]\nengine = \"{product}\"\nrole = \"read-only\"\nmaster = \"shop\"\n");
                self.from = "reader";
            }
            I::AdviseClock => self.act("fault = { skew = \"machine of shop\", ms = 3600000 }"),
            I::AdviseExpiry => {
                for step in [
                    "backup = \"shop\"",
                    "mark = \"before\"",
                    "temporary = { of = \"shop\", to = \"before\", as = \"rescue\" }",
                ] {
                    self.act(step);
                }
                (self.from, self.into) = ("rescue", "shop");
                self.login = "same_name = \"ignore\"";
            }
            I::AdviseEmpty if engine == Engine::Redis => self.sql.0 = "set basket 1\ndel basket".into(),
            _ => return self.advise_on_the_state(item, engine),
        }
        true
    }

    /// The same of advice on what a server is doing, and on what it has beside tables.
    fn advise_on_the_state(&mut self, item: I, engine: Engine) -> bool {
        match item {
            I::AdviseTransaction => self.prepare(engine),
            I::AdvisePacket => {
                self.hold("create table notes (id int primary key, note longtext)");
                self.act(&format!(
                    "sql = {{ on = \"shop\", run = \"insert into notes values (1, '{}')\" }}",
                    "x".repeat(5_000)
                ));
                self.objects = "objects = [\"customers\", \"notes\"]";
                self.parameters = (String::new(), "max_allowed_packet = \"4096\"".into());
            }
            I::AdviseEventTrigger => {
                let function =
                    "create function guard() returns event_trigger as $$ begin raise exception 'closed'; end $$";
                let trigger = "create event trigger no_ddl on ddl_command_start execute procedure guard()";
                self.sql.1 = Some(format!("{function} language plpgsql;\n{trigger}"));
            }
            I::AdviseExtension => {
                self.hold("create extension citext; create table words (id int primary key, word citext)");
                self.objects = "objects = [\"customers\", \"words\"]";
            }
            I::AdviseEmpty => {
                self.sql.0 = "create table customers (id int primary key); create table orders (id int)".into()
            }
            _ => return false,
        }
        true
    }

    /// The same for restores.
    fn spoil_restore(&mut self, item: I, engine: Engine) -> bool {
        let (newer, older) = versions(engine);
        let target = |text: &str| (String::new(), text.to_owned());
        let both = |source: &str, target: &str| (source.to_owned(), target.to_owned());
        match item {
            I::RestoreTargetConnection => {
                self.act("account = { on = \"depot\", name = \"app\", password = \"another-1\" }")
            }
            I::RestoreTargetPermission => {
                self.act("account = { on = \"depot\", name = \"app\", rights = \"read-only\" }")
            }
            I::RestoreVersion => {
                self.products = (newer, newer);
                self.act(&format!("fault = {{ version = {{ of = \"depot\", engine = \"{older}\" }} }}"));
                self.act("advance = \"10m\"");
            }
            I::RestoreSetReadable => self.act("fault = { damage = { backup = \"nightly\", how = \"corrupt\" } }"),
            I::RestoreSameName => self.sql.1 = Some("create table orders (id int primary key)".into()),
            I::RestoreDataExistence => self.sql.1 = Some(SHOP.into()),
            I::RestoreCharset => {
                self.parameters = both("character_set_server = \"utf8mb4\"", "character_set_server = \"latin1\"");
            }
            I::RestoreTimeZone => self.parameters = both("time_zone = \"+00:00\"", "time_zone = \"+08:00\""),
            I::RestoreCollation => {
                self.parameters = both("collation_server = \"utf8_general_ci\"", "collation_server = \"utf8_bin\"");
            }
            I::RestoreNameCase => self.parameters = target("lower_case_table_names = \"1\""),
            I::RestoreSqlMode => self.parameters = both(PLAIN_MODE, "sql_mode = \"ANSI_QUOTES\""),
            _ => return false,
        }
        true
    }

    /// Leaves a transaction of the source prepared.
    fn prepare(&mut self, engine: Engine) {
        let insert = "insert into customers values (9, 'Eve')";
        let run = if engine == Engine::MySql {
            format!("xa start 'late'; {insert}; xa end 'late'; xa prepare 'late'")
        } else {
            self.parameters.0 = "max_prepared_transactions = \"1\"".into();
            format!("begin; {insert}; prepare transaction 'late'")
        };
        self.act(&format!("sql = {{ on = \"shop\", run = \"{run}\" }}"));
    }

    /// Lets the source hold more.
    fn hold(&mut self, sql: &str) {
        self.sql.0 = format!("{};\n{sql}", self.sql.0);
    }

    fn act(&mut self, step: &str) {
        self.before.push(step.to_owned());
    }

    fn instance(name: &str, product: &str, sql: Option<&str>, parameters: &str) -> String {
        let sql = sql.map_or_else(String::new, |sql| format!("sql = '''\n{sql}\n'''\n"));
        format!(
            "[instances.{name}]\nengine = \"{product}\"\nparameters = {{ {parameters} }}\n\
             accounts = [{{ name = \"app\", password = \"s3cret-one\", rights = \"owner\" }}, \
             {{ name = \"clerk\", password = \"clerk-pass\", rights = \"none\" }}]\n{sql}"
        )
    }

    fn text(&self, steps: &[String]) -> String {
        let shop = Self::instance("shop", self.products.0, Some(&self.sql.0), &self.parameters.0);
        let depot = Self::instance("depot", self.products.1, self.sql.1.as_deref(), &self.parameters.1);
        let steps: String = steps.iter().map(|step| format!("[[step]]\n{step}\n")).collect();
        format!("title = \"An item of the precheck\"\ncovers = [\"DTS-09\"]\n{shop}{depot}{}{steps}", self.more)
    }
}

/// Whether an item is one of restores.
pub fn of_restore(item: I) -> bool {
    item.code().starts_with("RESTORE_")
}

/// The scenario in which an item comes to an outcome on an engine; nothing where nobody said how it fails.
pub fn world(item: I, engine: Engine, outcome: Outcome) -> Option<String> {
    let mut world = World::new(engine);
    if outcome != Outcome::Passed && !world.spoil(item, engine) {
        return None;
    }
    let mut steps = Vec::new();
    if of_restore(item) {
        steps.push("logical_backup = { of = \"shop\", as = \"nightly\" }".to_owned());
        steps.push("data_source = { as = \"target\", instance = \"depot\" }".to_owned());
        steps.extend(world.before.iter().cloned());
        let ends = if outcome == Outcome::Failed { "ends = \"check-failed\"" } else { "until = \"checked\"" };
        let restore = format!("task = \"nightly\", set = \"nightly\", into = \"target\", as = \"back\", {ends}");
        steps.push(format!("restore = {{ {restore} }}"));
    } else {
        steps.extend(world.before.iter().cloned());
        let login = if world.login.is_empty() { String::new() } else { format!(", {}", world.login) };
        steps.push(format!(
            "migrate = {{ from = \"{}\", into = \"{}\", {}, types = {}, as = \"move\", until = \"selected\"{login} }}",
            world.from, world.into, world.objects, world.types
        ));
        if outcome == Outcome::Shielded {
            steps.push(format!("task = {{ of = \"move\", do = \"shield\", items = [\"{}\"] }}", item.code()));
        }
        steps.push("task = { of = \"move\", do = \"precheck\" }".to_owned());
        let status = if outcome == Outcome::Failed { "PrecheckFailed" } else { "PrecheckPassed" };
        steps.push(format!("wait = {{ task = \"move\", status = \"{status}\", at_most = \"2h\" }}"));
    }
    Some(world.text(&steps))
}
