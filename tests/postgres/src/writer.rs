//! One of several processes that edit one group.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use tokio_postgres::NoTls;
use truefoundry_secrets::{AppliedEdit, BoxError, Client, Edit, Error};

use crate::{Result, apply_locked};

pub(crate) const APP: &str = "app";
const EDITS: usize = 50;
const KEYS: usize = 6;

/// The results of a writer's edits.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) edits: usize,
    pub(crate) concurrent: usize,
    pub(crate) lost: usize,
}

impl Report {
    pub(crate) fn add(&mut self, other: &Self) {
        self.edits += other.edits;
        self.concurrent += other.concurrent;
        self.lost += other.lost;
    }

    fn print(&self, model: &BTreeMap<String, String>) {
        println!("{} {} {}", self.edits, self.concurrent, self.lost);
        model.iter().for_each(|(key, value)| println!("{key} {value}"));
    }

    /// The report, and the writer's keys at the end.
    pub(crate) fn read(text: &str) -> Result<(Self, BTreeMap<String, String>)> {
        let mut lines = text.lines();
        let numbers = lines.next().unwrap_or_default().split(' ').map(str::parse);
        let [edits, concurrent, lost] = numbers.collect::<Result<Vec<usize>, _>>()?[..] else {
            return Err("no report".into());
        };
        let pair = |line: &str| line.split_once(' ').map(|(key, value)| (key.into(), value.into()));
        Ok((Self { edits, concurrent, lost }, lines.filter_map(pair).collect()))
    }
}

pub(crate) async fn connect() -> Result<tokio_postgres::Client> {
    let settings = format!("host={} user=postgres dbname=postgres", std::env::var("PGHOST")?);
    let (postgres, connection) = tokio_postgres::connect(&settings, NoTls).await?;
    tokio::spawn(connection);
    Ok(postgres)
}

pub(crate) async fn run(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (client, postgres) = (Client::from_env()?, connect().await?);
    match arguments[..] {
        ["storm", how, number] => storm(&client, &postgres, how == "locked", number).await,
        ["once", key, wait] => {
            let edit = client.secret_groups().edit_by_name(APP).set(key, "x");
            let wait = Duration::from_secs(wait.parse()?);
            apply_locked(&postgres, APP, wait, edit).await.map(drop)
        }
        _ => Err("unknown arguments".into()),
    }
}

async fn storm(
    client: &Client,
    postgres: &tokio_postgres::Client,
    locked: bool,
    number: &str,
) -> Result<()> {
    // Another order in each run; the outcome may not depend on it.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.subsec_nanos();
    let mut random = u64::from(now) ^ (number.parse::<u64>()? << 40) | 1;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    let (mut report, mut model) = (Report::default(), BTreeMap::new());
    for edit_number in 0..EDITS {
        let key = format!("{number}-{}", below(KEYS));
        let removes = model.contains_key(&key) && below(2) == 0;
        let (set, value) = (format!("{number}-{}", below(KEYS)), format!("{edit_number}"));
        let removes = removes && set != key;
        loop {
            let edit = client.secret_groups().edit_by_name(APP);
            // Another key is set, so that the removal is part of a full list.
            let edit = if removes { edit.remove(&key) } else { edit };
            let edit = edit.set(&set, value.as_str());
            report.edits += 1;
            match apply(postgres, locked, edit).await {
                Ok(_) => break,
                Err(Error::ConcurrentEdit { .. }) => report.concurrent += 1,
                // Another process deleted it.
                Err(Error::NotFound { .. }) if removes => {
                    report.lost += 1;
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        if removes {
            model.remove(&key);
        }
        model.insert(set, value);
    }
    report.print(&model);
    Ok(())
}

async fn apply(
    postgres: &tokio_postgres::Client,
    locked: bool,
    edit: Edit,
) -> Result<AppliedEdit, Error> {
    if !locked {
        return edit.apply().await;
    }
    let applied = apply_locked(postgres, APP, Duration::from_secs(60), edit).await;
    applied.map_err(|error: BoxError| match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => panic!("{other}"),
    })
}
