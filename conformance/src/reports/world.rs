//! The world at the end of a history: instances, tasks of all kinds, tables, and messages in flight.

use crate::history::{History, InFlight, What};
use recovery::model::logical::views::{DataSourceView, LogicalBackupTaskView, RestoreView};
use recovery::model::photograph::{Photograph, Rows};
use recovery::model::views::{InstanceView, TaskView};
use recovery::model::{DataSourceId, InstanceId, TaskId};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What was seen last of everything.
#[derive(Default)]
struct World<'a> {
    instances: BTreeMap<&'a InstanceId, Option<&'a InstanceView>>,
    machines: BTreeMap<&'a InstanceId, &'a str>,
    tasks: BTreeMap<&'a TaskId, Option<&'a TaskView>>,
    sources: BTreeMap<&'a DataSourceId, &'a DataSourceView>,
    backups: BTreeMap<&'a TaskId, &'a LogicalBackupTaskView>,
    restores: BTreeMap<&'a TaskId, &'a RestoreView>,
    shots: BTreeMap<&'a InstanceId, &'a Photograph>,
    messages: &'a [InFlight],
}

impl<'a> World<'a> {
    fn of(history: &'a History) -> Self {
        let mut world = Self::default();
        for event in &history.events {
            match &event.what {
                What::InstanceSeen(view) => drop(world.instances.insert(&view.id, Some(view))),
                What::InstanceGone { id } => drop(world.instances.insert(id, None)),
                What::Placed { instance, machine } => drop(world.machines.insert(instance, machine)),
                What::TaskSeen(view) => drop(world.tasks.insert(&view.id, Some(view))),
                What::TaskGone { id } => drop(world.tasks.insert(id, None)),
                What::DataSourceSeen(view) => drop(world.sources.insert(&view.id, view)),
                What::LogicalTaskSeen(view) => drop(world.backups.insert(&view.id, view)),
                What::RestoreSeen(view) => drop(world.restores.insert(&view.id, view)),
                What::Photograph(shot) => drop(world.shots.insert(&shot.instance, &shot.photograph)),
                What::InFlight { messages } => world.messages = messages,
                _ => {}
            }
        }
        world
    }

    fn source(&self, history: &History, id: &DataSourceId) -> String {
        self.sources.get(id).map_or_else(|| id.to_string(), |view| history.name_of(&view.instance_id).to_owned())
    }
}

/// The world at the end of a history, in words.
#[must_use]
pub fn world(history: &History) -> String {
    let world = World::of(history);
    let mut text = String::from("instances\n");
    instances(&mut text, history, &world);
    text.push_str("tasks\n");
    tasks(&mut text, history, &world);
    text.push_str("tables\n");
    for (id, photograph) in &world.shots {
        if world.instances.get(*id).is_some_and(Option::is_some) {
            tables(&mut text, history, id, photograph);
        }
    }
    text.push_str("messages in flight\n");
    for InFlight { from, to, count, held } in world.messages {
        let held = if *held { "  held" } else { "" };
        let _ = writeln!(text, "  {from} -> {to}  {count}{held}");
    }
    if world.messages.is_empty() {
        text.push_str("  none\n");
    }
    text
}

fn instances(text: &mut String, history: &History, world: &World<'_>) {
    for (id, view) in &world.instances {
        let name = history.name_of(id);
        let Some(view) = view else {
            let _ = writeln!(text, "  {name:<12} {id}  gone");
            continue;
        };
        let machine = world.machines.get(id).map_or_else(String::new, |machine| format!("  on {machine}"));
        let expires = view.expires_at.map_or_else(|| "never".into(), |time| time.to_string());
        let _ = writeln!(text, "  {name:<12} {id}  {}  {:?}{machine}  expires {expires}", view.product, view.state);
    }
}

fn tasks(text: &mut String, history: &History, world: &World<'_>) {
    for (id, view) in &world.tasks {
        let _ = match view {
            Some(view) => {
                let (from, to) = (history.name_of(&view.source.instance_id), history.name_of(&view.target.instance_id));
                let rows: u64 = view.progress.iter().map(|object| object.rows_written).sum();
                writeln!(
                    text,
                    "  migration  {id}  '{}'  {from} -> {to}  {:?}  {rows} rows written",
                    view.name, view.status
                )
            }
            None => writeln!(text, "  migration  {id}  gone"),
        };
    }
    for (id, view) in &world.backups {
        let _ = writeln!(text, "  backup     {id}  of {}  {:?}", world.source(history, &view.source), view.state);
    }
    for (id, view) in &world.restores {
        let (from, to) = (world.source(history, &view.source), world.source(history, &view.target));
        let rows: u64 = view.details.iter().map(|object| object.records).sum();
        let _ = writeln!(
            text,
            "  restore    {id}  '{}'  {from} -> {to}  {:?}  {rows} rows written",
            view.name, view.status
        );
    }
}

fn tables(text: &mut String, history: &History, id: &InstanceId, photograph: &Photograph) {
    for (database, content) in &photograph.databases {
        for object in content.objects.values().filter(|object| object.rows.is_some()) {
            let rows = object.rows.as_ref().map_or(0, Rows::count);
            let _ = writeln!(text, "  {:<12} {database}.{}  {rows} rows", history.name_of(id), object.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{Story, clone_of, master, photograph, start, task};

    #[test]
    fn the_world_shows_what_there_is_and_what_is_on_its_way() {
        let shop = master("rm-1", "mysql 5.7");
        let copy = clone_of("rm-2", &shop, start());
        let mut story = Story::new();
        story.see(&shop).see(&copy).gone("rm-2").see_task(&task("dts-1", &copy, &shop));
        story.push(What::Placed { instance: "rm-1".into(), machine: "machine-1".into() });
        story.shot("rm-1", &photograph(&[("orders", &[(1, "lamp")])]));
        let flight = |count, held| InFlight { from: "service".into(), to: "machine-1".into(), count, held };
        story.push(What::InFlight { messages: vec![flight(3, true)] });
        let text = world(&story.history);
        for part in [
            "mysql 5.7  Running  on machine-1",
            "rm-2  gone",
            "migration  dts-1",
            "app.orders  1 rows",
            "service -> machine-1  3  held",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        story.push(What::InFlight { messages: vec![] });
        assert!(world(&story.history).ends_with("messages in flight\n  none\n"));
    }
}
