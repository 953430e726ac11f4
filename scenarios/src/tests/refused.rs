//! What is refused, each with what people then read.

use super::{SHOP, parse, text_with_steps};

const STEP: &str = "[[step]]\nmark = \"now then\"\n";

type File = (&'static str, String);

fn steps(fact: &'static str, text: &str) -> File {
    (fact, text_with_steps(text))
}

fn files() -> Vec<File> {
    [declarations(), shapes(), names(), meanings(), faults(), logical(), redis(), cases()]
        .into_iter()
        .flatten()
        .collect()
}

/// What stands before the steps.
fn declarations() -> Vec<File> {
    let whole = |fact, text: &str| (fact, text.to_owned());
    let before = |fact, text: &str| (fact, format!("{text}{STEP}"));
    vec![
        whole("an_empty_file", " \n"),
        whole("a_file_that_is_not_toml", "title = \"a fact\n[[step]]\nmark = = 1\n"),
        whole("a_key_given_twice", "title = \"one\"\ntitle = \"two\"\n[[step]]\nmark = \"here\"\n"),
        whole("no_title_and_no_step", "covers = []\n"),
        before("an_unknown_key_at_the_top", "titel = \"a fact\"\n"),
        before("a_rule_id_of_the_wrong_shape", "title = \"a fact\"\ncovers = [\"tmp-11\", \"TMP-011\"]\n"),
        before("an_unknown_and_a_repeated_rule", "title = \"a fact\"\ncovers = [\"TMP-99\", \"SQL-14\", \"SQL-14\"]\n"),
        before("an_unknown_engine", "title = \"a fact\"\n[instances.shop]\nengine = \"sqlserver 2012\"\n"),
        before(
            "a_replica_without_a_master",
            "title = \"a fact\"\n[instances.copy]\nengine = \"mysql 5.7\"\nrole = \"read-only\"\n",
        ),
        before(
            "a_replica_of_nothing_with_data",
            "title = \"a fact\"\n[instances.shop]\nengine = \"mysql 5.7\"\n[instances.copy]\nengine = \"mysql 5.7\"\nrole = \"read-only\"\nmaster = \"shp\"\nsql = \"select 1\"\n",
        ),
        before(
            "sql_without_an_account",
            "title = \"a fact\"\n[instances.shop]\nengine = \"mysql 5.7\"\nsql = \"select 1\"\n",
        ),
        before(
            "a_host_the_world_has_not",
            "title = \"a fact\"\n[world]\nworkers = 1\nskew_ms = { \"worker-2\" = 5, moon = 1 }\n",
        ),
        whole(
            "an_application_without_a_pause",
            &format!(
                "{SHOP}[application]\non = \"shop\"\ntable = \"orders\"\nevery = \"0s\"\ncolumns = [\"id\", \"id\"]\n{STEP}"
            ),
        ),
    ]
}

/// Keys, types and words.
fn shapes() -> Vec<File> {
    let whole = |fact, text: &str| (fact, text.to_owned());
    vec![
        whole("a_step_without_an_action", &format!("{SHOP}[[step]]\n")),
        steps("an_unknown_action", "temporery = { of = \"shop\", at = \"now\", as = \"rescue\" }"),
        whole("two_actions_in_one_step", &format!("{SHOP}[[step]]\nmark = \"here\"\nbackup = \"shop\"\n")),
        steps("an_unknown_key_in_an_action", "temporary = { of = \"shop\", at = \"now\", was = \"rescue\" }"),
        steps("a_key_of_another_form", "expect = { instance = \"shop\", rows = [[1]] }"),
        steps("a_wrong_type", "backup = { of = \"shop\", wait = \"yes\" }"),
        steps("a_list_where_a_name_stands", "backup = [\"shop\"]"),
        steps("a_number_out_of_bounds", "call = { path = \"/v1/instances\", status = 99 }"),
        steps("an_unknown_word", "expect = { instance = \"shop\", state = \"runing\" }"),
        steps(
            "an_unknown_code",
            "release = { instance = \"shop\", refused = \"OperationDenied.TempDBInstanceExist\" }",
        ),
        steps("a_unit_typo", "advance = \"48hours\""),
        steps("a_negative_time", "advance = \"-48h\""),
        steps("a_time_without_a_unit", "advance = { until = { instance = \"shop\", expiry = \"-1\" } }"),
        steps("a_shift_that_is_no_time", "advance = { to = \"shop expires - 1 sec\" }"),
    ]
}

/// Names that are unknown, too early, taken or none.
fn names() -> Vec<File> {
    vec![
        steps("an_unknown_instance", "backup = \"shpo\""),
        steps(
            "an_instance_that_does_not_exist_yet",
            "release = \"rescue\"\ntemporary = { of = \"shop\", set = \"latest\", as = \"rescue\" }",
        ),
        steps(
            "a_mark_used_before_it_is_set",
            "temporary = { of = \"shop\", to = \"before\", as = \"rescue\" }\nmark = \"before\"",
        ),
        steps(
            "a_backup_used_before_it_is_taken",
            "temporary = { of = \"shop\", set = \"monday\", as = \"rescue\" }\nbackup = { of = \"shop\", as = \"monday\" }",
        ),
        steps(
            "a_task_used_before_it_is_made",
            "task = { of = \"put-back\", do = \"start\" }\nmigrate = { from = \"shop\", into = \"shop\", objects = [\"orders\"], as = \"put-back\" }",
        ),
        steps("a_mark_where_an_instance_stands", "mark = \"before\"\nbackup = \"before\""),
        steps("a_name_given_twice", "mark = \"before\"\nbackup = { of = \"shop\", as = \"before\" }"),
        steps("a_reserved_name", "mark = \"latest\""),
        steps("a_name_that_is_none", "mark = \" before\""),
        steps("no_recovery_point", "temporary = { of = \"shop\", as = \"rescue\" }"),
        steps("two_recovery_points", "temporary = { of = \"shop\", set = \"latest\", at = \"now\", as = \"rescue\" }"),
        steps(
            "a_moment_without_offset",
            "temporary = { of = \"shop\", at = \"2026-01-05T09:30:00\", as = \"rescue\" }",
        ),
        steps(
            "a_shift_of_an_unknown_mark",
            "mark = \"before\"\ntemporary = { of = \"shop\", at = \"befor - 1s\", as = \"rescue\" }",
        ),
        steps(
            "a_mark_moved_by_no_time",
            "mark = \"before\"\ntemporary = { of = \"shop\", at = \"before - 1 sec\", as = \"rescue\" }",
        ),
        steps(
            "a_table_renamed_within_a_whole_database",
            "migrate = { from = \"shop\", into = \"shop\", objects = [\"app.*\"], rename = { orders = \"o\" } }",
        ),
        steps("a_new_instance_without_a_name", "temporary = { of = \"shop\", set = \"latest\" }"),
        steps(
            "a_refused_step_that_names_an_instance",
            "temporary = { of = \"shop\", set = \"latest\", as = \"rescue\", refused = \"OperationDenied.NotFoundBackup\" }",
        ),
        steps(
            "a_repeated_key_with_another_name",
            "temporary = { of = \"shop\", set = \"latest\", as = \"one\", key = \"k\" }\ntemporary = { of = \"shop\", set = \"latest\", as = \"two\", key = \"k\" }",
        ),
    ]
}

/// Steps that make no sense as a whole.
fn meanings() -> Vec<File> {
    vec![
        steps("clones_without_enough_names", "clone = { of = \"shop\", set = \"latest\", as = \"one\", count = 2 }"),
        steps("an_unknown_account", "sql = { on = \"shop\", run = \"select 1\", account = \"ap\" }"),
        steps("an_account_made_twice", "account = { on = \"shop\", create = { name = \"app\", password = \"x\" } }"),
        steps("an_account_that_stays_as_it_is", "account = { on = \"shop\", name = \"app\" }"),
        steps("settings_that_stay_as_they_are", "configure = { on = \"shop\" }"),
        steps("a_login_neither_let_in_nor_refused", "login = { on = \"shop\", ok = false }"),
        steps(
            "objects_that_are_none",
            "migrate = { from = \"shop\", into = \"shop\", objects = [\"a.b.c\", \"*\", \"app.*\", \"app.*\"] }",
        ),
        steps("no_objects", "migrate = { from = \"shop\", into = \"shop\" }"),
        steps(
            "names_for_what_is_not_selected",
            "migrate = { from = \"shop\", into = \"shop\", objects = [\"orders\"], rename = { order = \"o\", \"db:crm\" = \"c\" }, columns = { items = [\"id\"] } }",
        ),
        steps(
            "an_incremental_task_that_finishes",
            "migrate = { from = \"shop\", into = \"shop\", objects = [\"orders\"], types = [\"incremental\"], until = \"finished\" }",
        ),
        steps(
            "an_end_that_is_never_seen",
            "migrate = { from = \"shop\", into = \"shop\", objects = [\"orders\"], until = \"selected\", ends = \"failed\" }",
        ),
        steps(
            "a_key_of_another_request",
            "migrate = { from = \"shop\", into = \"shop\", objects = [\"orders\"], as = \"put-back\" }\ntask = { of = \"put-back\", do = \"pause\", terms = true }",
        ),
        steps(
            "a_wait_for_nothing_and_for_two_things",
            "migrate = { from = \"shop\", into = \"shop\", objects = [\"orders\"], as = \"put-back\" }\nwait = { task = \"put-back\" }\nwait = { task = \"put-back\", rows = 1, stage = \"ordered\" }",
        ),
        steps("an_unknown_host", "fault = { crash = \"worker-3\" }\nfault = { crash = \"wroker-1\" }"),
        steps(
            "a_host_partitioned_from_itself",
            "fault = { partition = [\"service\", \"service\"], after = [\"3s\", \"10ms\"] }",
        ),
        steps("a_fault_without_an_end_that_ends", "fault = { heal = true, for = \"1s\" }"),
        steps("an_application_nobody_declared", "application = \"pause\"\nfault = { crash = \"application\" }"),
        steps(
            "a_path_that_is_none",
            "call = { path = \"v1\" }\ncall = { path = \"/v1/{shop\" }\ncall = { path = \"/v1/{shp}\" }\ncall = { path = \"/a b\" }",
        ),
        steps("nothing_expected", "expect = { instance = \"shop\" }"),
        steps("rows_of_two_lengths", "expect = { on = \"shop\", query = \"select 1\", rows = [[1, 2], [3]] }"),
        steps(
            "a_value_no_row_holds",
            "expect = { on = \"shop\", query = \"select 1\", rows = [[true], [{ null = false }]] }",
        ),
        steps(
            "an_instance_that_was_not_there_at_the_mark",
            "mark = \"before\"\ntemporary = { of = \"shop\", to = \"before\", as = \"rescue\" }\nexpect = { unchanged = \"rescue\", since = \"before\" }",
        ),
    ]
}

/// Faults.
fn faults() -> Vec<File> {
    vec![
        steps("two_faults_in_one", "fault = { crash = \"service\", pause = \"service\" }"),
        steps("a_fault_that_is_none", "fault = { for = \"1s\" }\nfault = { crsh = \"service\" }"),
        steps("a_disk_that_no_host_has", "fault = { disk_full = \"worker-1\" }"),
        steps("an_operator_that_crashes", "fault = { crash = \"operator\" }"),
        steps("a_reset_that_lasts", "fault = { reset = [\"service\", \"worker-1\"], for = \"1s\" }"),
        steps(
            "a_condition_of_a_task_that_never_comes",
            "fault = { crash = \"service\", when = { task = \"put-bck\", rows = 1 } }",
        ),
        steps(
            "a_condition_that_is_waited_for",
            "fault = { crash = \"service\", when = { instance = \"shop\", state = \"Running\" }, background = false }",
        ),
        steps("a_password_of_nobody", "fault = { password = { on = \"shop\", name = \"ap\", password = \"new\" } }"),
        steps("a_whitelist_that_stays_as_it_is", "fault = { whitelist = { on = \"shop\" } }"),
        steps(
            "a_damage_without_a_backup",
            "fault = { damage = { how = \"corrupt\" } }\nfault = { damage = { backup = \"monday\", how = \"half\" } }",
        ),
        steps("another_engine_instead_of_a_version", "fault = { version = { of = \"shop\", engine = \"mysql 5.6\" } }"),
        steps(
            "a_time_zone_that_is_none",
            "fault = { time_zone = { of = \"shop\", zone = \"+2\" } }\nfault = { time_zone = { of = \"shop\", zone = \"CEST\" } }",
        ),
    ]
}

/// Logical backup and restore.
fn logical() -> Vec<File> {
    let nightly =
        |fact, text: &str| steps(fact, &format!("logical_backup = {{ of = \"shop\", as = \"nightly\" }}\n{text}"));
    vec![
        steps("a_logical_backup_without_a_name", "logical_backup = { of = \"shop\" }"),
        steps("a_logical_backup_of_nothing", "logical_backup = { of = \"shp\", as = \"nightly\" }"),
        nightly("a_logical_task_that_is_a_mark", "mark = \"here\"\nlogical_task = { of = \"here\", do = \"run\" }"),
        nightly(
            "a_stop_that_waits",
            "logical_task = { of = \"nightly\", do = \"stop\", wait = true }\nlogical_task = { of = \"nightly\", do = \"run\", wait = false, ends = \"failed\" }",
        ),
        steps(
            "a_restore_from_a_task_that_comes_later",
            "restore = { task = \"nightly\", into = \"shop\", set = \"latest\" }\nlogical_backup = { of = \"shop\", as = \"nightly\" }",
        ),
        nightly(
            "a_restore_without_a_point_and_from_no_set",
            "restore = { task = \"nightly\", into = \"shop\" }\nrestore = { task = \"nightly\", into = \"shop\", set = \"nigtly\" }",
        ),
        nightly(
            "restored_objects_that_are_none",
            "restore = { task = \"nightly\", into = \"shop\", set = \"latest\", objects = [\"app.orders\"] }\nrestore = { task = \"nightly\", into = \"shop\", set = \"latest\", mapping = { \"app.table.orders\" = \"o\" } }",
        ),
        nightly(
            "a_restore_whose_end_is_never_seen",
            "restore = { task = \"nightly\", into = \"shop\", set = \"latest\", until = \"checked\", ends = \"stopped\" }",
        ),
        nightly(
            "a_name_in_a_body_that_is_nobodys",
            "call = { path = \"/v1/restore-tasks\", body = { backup_task = \"{nigtly}\", backup_set_id = \"{nightly set}\" } }",
        ),
        nightly(
            "a_wait_for_a_restore_that_says_nothing",
            "restore = { task = \"nightly\", into = \"shop\", set = \"latest\", as = \"back\" }\nwait = { restore = \"back\" }\nexpect = { restore = \"back\" }",
        ),
    ]
}

/// Redis.
fn redis() -> Vec<File> {
    let declared = |fact, text: &str| {
        let instance =
            "[instances.cache]\nengine = \"redis 7.0\"\naccount = { name = \"app\", password = \"s3cret\" }\n";
        (fact, format!("title = \"a fact\"\n{instance}{text}{STEP}"))
    };
    vec![
        declared("databases_of_redis", "databases = { crm = \"set a 1\" }\n"),
        declared("commands_given_twice", "sql = \"set a 1\"\ncommands = \"set b 1\"\n"),
        steps("commands_for_no_redis", "commands = { on = \"shop\", run = \"set a 1\" }"),
        steps("a_node_of_no_redis", "expect = { node = \"replica\", of = \"shop\", holds = \"a\", lacks = \"b\" }"),
        steps(
            "an_old_link_nobody_was_given",
            "backup = { of = \"shop\", as = \"monday\" }\ndownload = { backup = \"monday\", link = \"old\" }",
        ),
        steps(
            "a_range_of_backups_that_is_swapped",
            "backup = { of = \"shop\", as = \"monday\" }\nexpect = { backup = \"monday\", listed = true, from = \"1h\", to = \"2h\" }",
        ),
    ]
}

/// Tables of cases.
fn cases() -> Vec<File> {
    let table = |fact, rows: &str, step: &str| {
        let row = |row: &str| format!("[[case]]\n{row}\n");
        let rows: String = rows.lines().map(|line| row(&line.trim().replace("; ", "\n"))).collect();
        (fact, format!("title = \"a fact\"\ncovers = [\"TMP-11\"]\n{rows}[[step]]\n{step}\n"))
    };
    vec![
        table("a_case_without_a_name", "name = \"one\"; at = \"a\"\nat = \"b\"", "mark = \"${at}\""),
        table("two_cases_of_one_name", "name = \"one\"; at = \"a\"\nname = \"one\"; at = \"b\"", "mark = \"${at}\""),
        table("a_case_that_lacks_a_parameter", "name = \"one\"; at = \"a\"\nname = \"two\"", "mark = \"${at}\""),
        table("an_unknown_parameter", "name = \"one\"; where = \"a\"", "mark = \"at ${wear}\""),
        table("an_unused_parameter", "name = \"one\"; where = \"a\"", "mark = \"here\""),
        table("a_placeholder_that_is_not_closed", "name = \"one\"; at = \"a\"", "mark = \"at ${at\""),
        table("a_list_within_a_text", "name = \"one\"; at = [1]", "mark = \"at ${at}\""),
        table(
            "a_wrong_type_in_one_case",
            "name = \"one\"; at = \"a\"\nname = \"two\"; at = 7\nname = \"three\"; at = true",
            "mark = \"${at}\"",
        ),
        table("a_step_for_no_case", "name = \"one\"; at = \"a\"", "only = [\"on\"]\nmark = \"${at}\""),
        steps("a_placeholder_without_cases", "mark = \"${here}\""),
    ]
}

#[test]
fn every_refusal_says_where_what_and_what_would_do() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (fact, text) in files() {
            match parse(&text) {
                Ok(_) => panic!("{fact} was accepted"),
                Err(error) => insta::assert_snapshot!(format!("scenario_error__{fact}"), error.render()),
            }
        }
    });
}

#[test]
fn every_problem_lies_in_the_file_on_the_line_it_names() {
    for (fact, text) in files() {
        let Err(error) = parse(&text) else { panic!("{fact} was accepted") };
        assert!(!error.problems.is_empty(), "{fact}");
        for problem in &error.problems {
            let before = text.get(..problem.at.offset()).unwrap_or_else(|| panic!("{fact}: outside of the file"));
            assert_eq!(problem.line, before.matches('\n').count() + 1, "{fact}");
            assert!(error.lines().contains(&format!("a-fact.toml:{}: ", problem.line)), "{fact}");
        }
    }
}

#[test]
fn several_problems_are_said_together() {
    let text = text_with_steps("backup = \"one\"\nbackup = \"two\"\nadvance = { to = \"three\" }");
    let found = parse(&text).map_err(|error| error.problems.iter().map(|problem| problem.line).collect::<Vec<_>>());
    assert_eq!(found.err(), Some(vec![10, 12, 14]));
}

#[test]
fn what_is_refused_never_shows_a_password_in_a_message() {
    for (fact, text) in files() {
        let Err(error) = parse(&text) else { panic!("{fact} was accepted") };
        assert!(!format!("{error:?}{}", error.lines()).contains("s3cret"), "{fact}");
    }
}
