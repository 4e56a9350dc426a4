//! Adds, rotates and removes keys of a group. Keys that are not named stay as they are.
//!
//! ```sh
//! cargo run --example update_group -- prod-secrets DB_PASSWORD --remove JWT_SECRET
//! ```

mod support;

use std::process::ExitCode;

use support::{
    Args, Change, Consent, Failure, GroupArgument, keys_from_arguments, mapping_lines, print, shown,
};

const USAGE: &str = "\
Usage: update_group GROUP [--yes] [KEY...] [--remove KEY]...
       update_group --id GROUP-ID [--yes] [KEY...] [--remove KEY]...

Sets each KEY (adds it, or gives it a new value) and removes each --remove KEY. The value of KEY is read
from the environment variable of that name; KEY:VARIABLE reads another one. Variables that mean something
else in nearly every environment (TFY_API_KEY, PATH, HOME) are read only as KEY:VARIABLE. All other keys stay
as they are.
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(update_group()).await
}

async fn update_group() -> Result<(), Failure> {
    let mut args = Args::from_env(USAGE, &["id=", "remove=", "yes"])?;
    let consent = Consent::from_flag(args.flag("yes"));
    let remove = args.options("remove");
    let group = GroupArgument::from_args(&mut args)?;
    let arguments = args.rest();
    if arguments.is_empty() && remove.is_empty() {
        return Err(args.wrong("missing KEY or --remove"));
    }
    let keys = keys_from_arguments(&arguments, None)?;
    let connection = support::connect(&args).await?;
    let client = &connection.client;

    let mut edit = match group {
        GroupArgument::Name(name) => client.secret_groups().edit_by_name(name),
        GroupArgument::Id(id) => client.secret_groups().edit(id),
    };
    let mut details = Vec::new();
    if !keys.is_empty() {
        details.push(String::new());
        details.extend(mapping_lines(&keys, None));
    }
    for key in keys {
        edit = edit.set(key.key, key.value);
    }
    for key in remove {
        edit = edit.remove(key);
    }
    let plan = edit.plan().await?;
    let name = plan.group_name().to_owned();
    // The plan begins with the group's name, which the line above already shows.
    let line = plan.to_string();
    let line = line.strip_prefix(&format!("{}: ", shown(&name))).unwrap_or(&line);
    details.insert(0, format!("plan:  {line}"));
    details.insert(1, "       (+ added, ~ new value, - removed with all its versions)".to_owned());
    let change = Change { action: "Change a secret group", group: &name, details };
    support::confirm(&connection, &change, consent)?;

    let done = plan.apply().await?;
    print(format!("{}: {done}", shown(&name)))
}
