//! Many concurrent edits of one group with random faults, against a model of keys, values and
//! versions.
//!
//! Each task edits keys of its own, so that it knows what each of them must be; but every write is the
//! full list, so that each could lose the keys of all the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{Client, Error, SecretStoreKind};

use crate::common::*;

const TASKS: usize = 8;
const KEYS: usize = 32;

/// Value and version of the existing keys.
type Model = BTreeMap<String, (String, u32)>;

#[derive(Clone, Copy)]
struct Weather {
    /// The maximum delay between a request and its write.
    latest: Duration,
    write_timeout: Duration,
    edits: usize,
    edits_per_fault: usize,
    /// How many keys the response about a group lists; listing none makes the big storm a third
    /// faster.
    listed: usize,
}

#[derive(Debug, Default)]
struct Outcomes {
    applied: usize,
    unchanged: usize,
    unclear: usize,
    given_up: usize,
}

struct Task {
    number: usize,
    fake: FakeTrueFoundry,
    client: Client,
    id: String,
    random: Random,
    weather: Weather,
    model: Model,
    outcomes: Outcomes,
}

struct Planned {
    set: Vec<(String, String)>,
    remove: Vec<String>,
}

fn key(number: usize) -> String {
    format!("KEY-{number}")
}

fn own_state(fake: &FakeTrueFoundry, task: usize) -> Model {
    let keys = (task..KEYS).step_by(TASKS).map(key);
    keys.filter_map(|key| {
        let now = (fake.value(APP, &key)?, fake.version(APP, &key)?);
        Some((key, now))
    })
    .collect()
}

impl Task {
    fn spoil_something(&mut self) {
        let operation = match self.random.below(10) {
            0..5 => PUT,
            5..7 => DELETE,
            7 => GET,
            8 => LIST,
            _ => "*",
        };
        let random = &mut self.random;
        let mut up_to = |time: Duration| time / 100 * u32::try_from(random.below(100)).unwrap();
        let (late, slow) = (up_to(self.weather.latest), up_to(self.weather.latest / 4));
        let fault = match self.random.below(10) {
            0 | 1 => Fault::drop_before(),
            2 | 3 => Fault::drop_after(),
            4 => Fault::cut_body(),
            5 => Fault::delay_work(late),
            6 => Fault::status(503),
            7 => Fault::status(504).after_work(),
            8 => Fault::delay(slow),
            _ => Fault::status(429).retry_after("0"),
        };
        self.fake.inject(fault.on(operation));
    }

    /// Removes about as often as it sets: keys with long histories make long responses.
    fn plan(&mut self, edit: usize) -> Planned {
        let mut planned = Planned { set: Vec::new(), remove: Vec::new() };
        let only_remove = self.random.one_in(6);
        for number in (self.number..KEYS).step_by(TASKS) {
            if !self.random.one_in(3) {
                continue;
            }
            let key = key(number);
            if self.model.contains_key(&key) && (only_remove || self.random.one_in(2)) {
                planned.remove.push(key);
            } else if !only_remove {
                let value = format!("{}.{edit}.{number}", self.number);
                planned.set.push((key, value));
            }
        }
        planned
    }

    async fn apply(&mut self, planned: &Planned) -> Option<Result<(), Error>> {
        let mut edit = self.client.secret_groups().edit(&self.id);
        for (key, value) in &planned.set {
            edit = edit.set(key, value.as_str());
        }
        for key in &planned.remove {
            edit = edit.remove(key);
        }
        match self.random.below(20) {
            0..4 => Some(async { edit.plan().await?.apply().await.map(drop) }.await),
            4..6 => {
                let polls = self.random.below(16);
                Some(give_up_after(polls, edit.apply()).await?.map(drop))
            }
            _ => Some(edit.apply().await.map(drop)),
        }
    }

    fn after(&self, planned: &Planned) -> Model {
        let mut after = self.model.clone();
        after.retain(|key, _| !planned.remove.contains(key));
        for (key, value) in &planned.set {
            let version = after.get(key).map_or(1, |(_, version)| version + 1);
            after.insert(key.clone(), (value.clone(), version));
        }
        after
    }

    async fn run(mut self) -> (Model, Outcomes) {
        for edit in 0..self.weather.edits {
            if self.random.one_in(self.weather.edits_per_fault) {
                self.spoil_something();
            }
            let planned = self.plan(edit);
            let after = self.after(&planned);
            let result = self.apply(&planned).await;
            match &result {
                Some(Ok(())) => {
                    self.outcomes.applied += 1;
                    self.model = after;
                }
                Some(Err(error)) if !error.may_have_been_applied() => {
                    assert!(
                        !error.is_not_found() && !matches!(error, Error::InvalidInput { .. }),
                        "{error:?}"
                    );
                    self.outcomes.unchanged += 1;
                }
                unclear => {
                    if let Some(Err(error)) = unclear {
                        assert!(!matches!(error, Error::ConcurrentEdit { .. }), "{error:?}");
                        self.outcomes.unclear += 1;
                    } else {
                        self.outcomes.given_up += 1;
                    }
                    // By then it has been done, or never will be.
                    tokio::time::sleep(self.weather.write_timeout).await;
                    self.model = self.one_of_both(&planned, after);
                }
            }
            let (number, now) = (self.number, own_state(&self.fake, self.number));
            assert_eq!(now, self.model, "task {number}, edit {edit}: {result:?}");
        }
        (self.model, self.outcomes)
    }

    /// A write is done as a whole or not at all; removals one by one, in their order.
    fn one_of_both(&self, planned: &Planned, after: Model) -> Model {
        let now = own_state(&self.fake, self.number);
        if now == after || !planned.set.is_empty() {
            return if now == after { after } else { self.model.clone() };
        }
        let mut model = self.model.clone();
        for key in &planned.remove {
            if now == model {
                break;
            }
            model.remove(key);
        }
        model
    }
}

/// How many times each edit's values were sent, by task and edit.
fn count_writes(fake: &FakeTrueFoundry) -> Arc<Mutex<BTreeMap<String, usize>>> {
    let sent: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let counted = Arc::clone(&sent);
    fake.on_request(PUT, move |_, request| {
        let list = request.body().unwrap()["secrets"].as_array().unwrap();
        let value = list.iter().find_map(|entry| entry["value"].as_str()).unwrap();
        let edit = value.rsplit_once('.').unwrap().0.to_owned();
        *counted.lock().unwrap().entry(edit).or_default() += 1;
    });
    sent
}

async fn storm(seed: u64, weather: Weather) {
    let pairs = (0..KEYS).map(|number| (key(number), format!("first value {number}")));
    let fake = FakeTrueFoundry::start()
        .await
        .with_store(SecretStoreKind::Generic)
        .with_recording_limit(1)
        .with_associated_secrets(weather.listed)
        .with_group(APP, pairs);
    let sent = count_writes(&fake);
    let client = client(&fake, weather.write_timeout);
    let mut seeds = Random::new(seed);
    eprintln!("EDITS_SEED={seed}");
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            let task = Task {
                number,
                fake: fake.clone(),
                client: client.clone(),
                id: fake.group_id(APP).unwrap(),
                random: Random::new(seeds.next()),
                weather,
                model: own_state(&fake, number),
                outcomes: Outcomes::default(),
            };
            tokio::spawn(task.run())
        })
        .collect();
    let mut total = Outcomes::default();
    let mut keys = 0;
    let mut models = Vec::new();
    for task in tasks {
        let (model, outcomes) = task.await.unwrap();
        total.applied += outcomes.applied;
        total.unchanged += outcomes.unchanged;
        total.unclear += outcomes.unclear;
        total.given_up += outcomes.given_up;
        keys += model.len();
        models.push(model);
    }
    fake.idle().await;
    eprintln!("{total:?}, {} requests", fake.request_count());
    for (number, model) in models.into_iter().enumerate() {
        assert_eq!(own_state(&fake, number), model, "task {number} in the end");
    }
    assert_eq!(fake.keys(APP).len(), keys, "no key is there that no task set");
    let twice: Vec<_> = sent.lock().unwrap().clone().into_iter().filter(|(_, n)| *n > 1).collect();
    assert!(twice.is_empty(), "written more than once: {twice:?}");
    let all = TASKS * weather.edits;
    assert!(total.applied > all / 4 && total.unchanged > 0, "{total:?}");
    assert!(total.unclear > 0 && total.given_up > 0, "{total:?}");
}

/// On tokio's paused clock, which advances when all tasks wait: waiting for unconfirmed writes
/// costs no time.
#[tokio::test(start_paused = true)]
async fn six_hundred_edits_with_as_many_faults_lose_nothing() {
    let (latest, write_timeout) = (Duration::from_millis(250), Duration::from_millis(400));
    storm(
        seed(0x5eed_0001),
        Weather { latest, write_timeout, edits: 75, edits_per_fault: 1, listed: 0 },
    )
    .await;
}

/// Fewer, but on several threads and in real time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_on_several_threads_loses_nothing() {
    let (latest, write_timeout) = (Duration::from_millis(60), Duration::from_millis(400));
    storm(
        seed(0x5eed_0002),
        Weather { latest, write_timeout, edits: 25, edits_per_fault: 4, listed: KEYS },
    )
    .await;
}
