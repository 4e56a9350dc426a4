//! The changes that tools make: each is planned, shown to a person, planned anew and only then applied.

use std::collections::HashSet;

use truefoundry_secrets::{
    Client, EditPlan, NewSecretGroup, Secret, SecretGroup, SecretGroupId, SecretStore,
};

use crate::arguments::{Edits, FromEnv, FullList, NewGroup};
use crate::failure::Failure;
use crate::output::{Changed, StoreRow, Stores, name_of, shown};
use crate::read::secrets_of;
use crate::server::Server;
use crate::values::AllowedEnv;

pub(crate) enum Change {
    Create(NewGroup),
    Replace { id: String, list: FullList },
    Edit { id: String, edits: Edits },
    DeleteGroup { id: String },
    DeleteSecret { id: String },
}

/// What a change would do to the current state. It holds the values to write, so it is dropped
/// before a person is asked.
pub(crate) struct Plan {
    /// What the person sees of it.
    pub(crate) lines: Vec<String>,
    pub(crate) identity: String,
    pub(crate) group_id: Option<String>,
    /// When the group and its keys last changed, according to the service.
    pub(crate) markers: String,
    work: Work,
}

enum Work {
    Nothing(Changed),
    Create(NewSecretGroup),
    Edit(Box<EditPlan>, Box<SecretGroup>),
    DeleteGroup { id: SecretGroupId, changed: Changed },
}

impl Change {
    pub(crate) async fn plan(&self, server: &Server) -> Result<Plan, Failure> {
        let (client, allowed) = (&server.client, &server.allowed);
        let mut plan = match self {
            Self::Create(new) => create(client, allowed, new).await?,
            Self::Replace { id, list } => replace(client, allowed, id, list).await?,
            Self::Edit { id, edits } => {
                let mut edit = client.secret_groups().edit(id);
                for FromEnv { key, from_env } in &edits.set {
                    edit = edit.set(key, allowed.read(key, from_env)?);
                }
                for key in &edits.remove {
                    edit = edit.remove(key);
                }
                let plan = edit.plan().await?;
                let set = edits.set.iter().map(|set| (set.key.as_str(), set.from_env.as_str()));
                Plan::of_edit("Change a secret group", plan, set)?
            }
            Self::DeleteGroup { id } => delete_group(client, id).await?,
            Self::DeleteSecret { id } => delete_secret(client, id).await?,
        };
        plan.identity = identity(client).await?;
        Ok(plan)
    }
}

/// Whose rights the change is made with.
async fn identity(client: &Client) -> Result<String, Failure> {
    match client.whoami().await {
        Ok(me) => {
            let kind = me.kind().map_or_else(String::new, |kind| format!(" ({kind})"));
            let tenant = me.tenant().map_or_else(String::new, |name| format!(", tenant {name}"));
            Ok(format!("{}{kind}{tenant}", me.user().unwrap_or("unknown")))
        }
        // An older control plane does not report it.
        Err(error) if error.is_not_found() || matches!(error.status(), Some(404 | 405 | 501)) => {
            Ok("not reported by this control plane".to_owned())
        }
        Err(error) => Err(error.into()),
    }
}

async fn create(client: &Client, allowed: &AllowedEnv, new: &NewGroup) -> Result<Plan, Failure> {
    let store = store(client, new.integration_id.as_deref()).await?;
    let mut group = NewSecretGroup::new(&new.name, &store);
    for FromEnv { key, from_env } in &new.secrets {
        group = group.secret(key, allowed.read(key, from_env)?);
    }
    group.check()?;
    let kind = store.kind().map_or_else(|| "store".to_owned(), ToString::to_string);
    let mut lines = vec![
        "Create a secret group".to_owned(),
        format!("Group: {} (new)", shown(&new.name)),
        format!("Store: {} ({kind}, {})", shown(store.name().unwrap_or("?")), store.id()),
    ];
    let keys: Vec<_> = new.secrets.iter().map(|set| format!("+ {}", shown(&set.key))).collect();
    lines.push(format!("Plan: {}: {}", shown(&new.name), keys.join("  ")));
    lines.extend(value_lines(
        new.secrets.iter().map(|set| (set.key.as_str(), set.from_env.as_str())),
    ));
    Ok(Plan::new(lines, Work::Create(group)))
}

/// The store that is named, or the only one: the first of several is not a choice.
async fn store(client: &Client, id: Option<&str>) -> Result<SecretStore, Failure> {
    let mut stores = client.secret_stores().all().await?;
    let table = Stores { stores: stores.iter().map(StoreRow::from).collect() }.table();
    if let Some(id) = id {
        stores.retain(|store| store.id() == id);
        if stores.is_empty() {
            let hint = format!("Use the ID of one of them:\n\n{table}");
            return Err(Failure::input("no secret store has this integrationId", hint));
        }
    }
    match stores.as_slice() {
        [store] => Ok(store.clone()),
        [] => Err(Failure::input(
            "no secret store is connected",
            "Ask the platform's administrator to connect one.",
        )),
        _ => Err(Failure::several_stores(&table)),
    }
}

/// The API's full-list update, as an edit with the same effect: it refuses to write if another
/// process changes the group in between.
async fn replace(
    client: &Client,
    allowed: &AllowedEnv,
    id: &str,
    list: &FullList,
) -> Result<Plan, Failure> {
    if list.secrets.is_empty() {
        return Err(Failure::empty_group());
    }
    let mut listed = HashSet::new();
    if let Some(twice) = list.secrets.iter().find(|secret| !listed.insert(&secret.key)) {
        let message = format!("the key {} is listed twice", shown(&twice.key));
        return Err(Failure::input(message, "List each key once."));
    }
    // Without changes it keeps every key that the group has.
    let now = client.secret_groups().edit(id).plan().await?;
    let mut edit = client.secret_groups().edit(id);
    let mut set = Vec::new();
    for secret in &list.secrets {
        match &secret.from_env {
            Some(variable) => {
                edit = edit.set(&secret.key, allowed.read(&secret.key, variable)?);
                set.push((secret.key.as_str(), variable.as_str()));
            }
            None if now.kept().contains(&secret.key) => {}
            None => {
                return Err(Failure::input(
                    format!(
                        "the group has no key {} whose value could be kept",
                        shown(&secret.key)
                    ),
                    "Give `from_env` for a key that is new.",
                ));
            }
        }
    }
    for key in now.kept().iter().filter(|key| !listed.contains(key)) {
        edit = edit.remove(key);
    }
    Plan::of_edit("Replace all keys of a secret group", edit.plan().await?, set.into_iter())
}

async fn delete_group(client: &Client, id: &str) -> Result<Plan, Failure> {
    let group = client.secret_groups().get(id).await?;
    let secrets = secrets_of(client, &group).await?;
    let keys: Vec<_> = secrets.iter().filter_map(Secret::key).map(str::to_owned).collect();
    let name = shown(name_of(&group));
    let minus: Vec<_> = keys.iter().map(|key| format!("- {}", shown(key))).collect();
    let lines = vec![
        "Delete a secret group with all its secrets and their versions".to_owned(),
        group_line(&group),
        format!("Plan: {name}: {}", minus.join("  ")),
    ];
    let changed = Changed {
        done: format!("{name} is deleted with {} keys", keys.len()),
        removed: keys,
        ..changed(&group)
    };
    let work = Work::DeleteGroup { id: group.id().clone(), changed };
    Ok(Plan::new(lines, work).of_group(&group, &secrets))
}

/// By its group and key, so that the question names them and the group is compared before the
/// write.
async fn delete_secret(client: &Client, id: &str) -> Result<Plan, Failure> {
    let secret = client.secrets().get(id).await?;
    let (Some(group), Some(key)) = (secret.secret_group_id(), secret.key()) else {
        let hint = "Use tfy_secret_groups_edit with the group's identifier and the key.";
        return Err(Failure::input("the control plane does not say which key this is", hint));
    };
    let plan = client.secret_groups().edit(group).remove(key).allow_empty().plan().await?;
    Plan::of_edit("Delete a secret with all its versions", plan, [].into_iter())
}

impl Plan {
    fn new(lines: Vec<String>, work: Work) -> Self {
        Self { lines, identity: String::new(), group_id: None, markers: String::new(), work }
    }

    fn of_group(mut self, group: &SecretGroup, secrets: &[Secret]) -> Self {
        self.group_id = Some(group.id().to_string());
        self.markers.push_str(&markers(group, secrets));
        self
    }

    fn of_edit<'a>(
        action: &str,
        plan: EditPlan,
        set: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Failure> {
        let Some(group) = plan.group().cloned() else {
            // Only an edit that creates its group has none, and no tool makes one.
            return Err(Failure::input("the group does not exist", "List the secret groups."));
        };
        let mut lines = vec![action.to_owned(), group_line(&group), format!("Plan: {plan}")];
        lines.push("(+ added, ~ new value, - removed with all its versions)".to_owned());
        lines.extend(value_lines(set));
        let markers = plan.kept().join("\n");
        let work = if plan.is_empty() {
            let kept = plan.kept().to_vec();
            Work::Nothing(Changed { done: plan.to_string(), kept, ..changed(&group) })
        } else {
            Work::Edit(Box::new(plan), Box::new(group.clone()))
        };
        // The group's own list can be cut.
        Ok(Self { markers, ..Self::new(lines, work) }.of_group(&group, &[]))
    }

    /// Whether there is nothing to ask about.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.work, Work::Nothing(_))
    }

    pub(crate) async fn apply(self, client: &Client) -> Result<Changed, Failure> {
        match self.work {
            Work::Nothing(changed) => Ok(changed),
            Work::Create(new) => {
                let keys: Vec<_> = new.keys().map(str::to_owned).collect();
                let group = client.secret_groups().create(new).await?;
                Ok(Changed {
                    done: format!("{} ({}) is created", shown(name_of(&group)), group.id()),
                    references: references(&group, &keys),
                    added: keys,
                    ..changed(&group)
                })
            }
            Work::Edit(plan, group) => {
                let done = plan.apply().await?;
                Ok(Changed {
                    done: format!("{}: {done}", shown(name_of(&group))),
                    added: done.added().to_vec(),
                    rotated: done.rotated().to_vec(),
                    removed: done.removed().to_vec(),
                    kept: done.kept().to_vec(),
                    references: references(&group, done.added()),
                    ..changed(&group)
                })
            }
            Work::DeleteGroup { id, changed } => {
                client.secret_groups().delete(id).await?;
                Ok(changed)
            }
        }
    }
}

fn changed(group: &SecretGroup) -> Changed {
    Changed {
        group: Some(name_of(group).to_owned()),
        group_id: Some(group.id().to_string()),
        ..Changed::default()
    }
}

fn references(group: &SecretGroup, keys: &[String]) -> Vec<String> {
    keys.iter().filter_map(|key| Some(group.reference(key).ok()?.to_string())).collect()
}

fn group_line(group: &SecretGroup) -> String {
    format!("Group: {} ({})", shown(name_of(group)), group.id())
}

fn value_lines<'a>(set: impl Iterator<Item = (&'a str, &'a str)>) -> impl Iterator<Item = String> {
    set.map(|(key, variable)| {
        format!("Value of {}: the server's environment variable {}", shown(key), shown(variable))
    })
}

/// Compared between the question and the write, in addition to the plan's text.
fn markers(group: &SecretGroup, secrets: &[Secret]) -> String {
    let of = |secret: &Secret| {
        let time = secret.updated_at().map(|time| time.to_string());
        format!("{} {} {time:?}", secret.id(), shown(secret.key().unwrap_or_default()))
    };
    let all = group.secrets().unwrap_or_default().iter().chain(secrets);
    let mut secrets: Vec<_> = all.map(of).collect();
    secrets.sort();
    secrets.dedup();
    let time = group.updated_at().map(|time| time.to_string());
    format!("{time:?}\n{}", secrets.join("\n"))
}
