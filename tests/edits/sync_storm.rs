//! Random syncs of one group alongside random edits by another client, against a model.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Client, Edit, Error};

use crate::common::*;

const SYNCS: usize = 300;
const KEYS: usize = 5;

type Model = BTreeMap<String, String>;

/// What the other client does, and at which request of a sync.
struct Other {
    random: Random,
    left: Option<usize>,
    model: Model,
}

impl Other {
    fn edit(&mut self, fake: &FakeTrueFoundry) {
        let key = format!("K{}", self.random.below(KEYS));
        if self.random.one_in(3) && self.model.len() > 1 && self.model.remove(&key).is_some() {
            assert!(fake.remove_key(APP, &key));
        } else {
            let value = format!("theirs {}", self.random.below(3));
            fake.set_value(APP, &key, &value);
            self.model.insert(key, value);
        }
    }
}

fn desired(random: &mut Random) -> Model {
    let mut desired = Model::new();
    for number in 0..KEYS {
        if random.one_in(2) {
            // Often what the other client wrote, so that it is equal.
            let who = if random.one_in(2) { "theirs" } else { "ours" };
            desired.insert(format!("K{number}"), format!("{who} {}", random.below(3)));
        }
    }
    desired.entry("K0".to_owned()).or_insert_with(|| "ours 0".to_owned());
    desired
}

fn state(fake: &FakeTrueFoundry) -> Model {
    fake.keys(APP).into_iter().map(|key| (key.clone(), fake.value(APP, &key).unwrap())).collect()
}

fn sync(client: &Client, desired: &Model, prunes: bool) -> Edit {
    let sync = client.secret_groups().sync(APP, desired.clone());
    if prunes { sync.remove_unlisted() } else { sync }
}

#[tokio::test]
async fn syncs_beside_another_client_end_as_desired_or_say_that_it_changed() {
    let (fake, _) = app(&["K0", "K1", "K2"]).await;
    let client = warm_client(&fake, Duration::from_secs(60)).await;
    let other = Other { random: Random::new(seed(11)), left: None, model: state(&fake) };
    let other = Arc::new(Mutex::new(other));
    // It writes before a read is done. The write follows the last read: the window that `Edit`
    // documents.
    for operation in [BY_NAME, GET, LIST] {
        let other = Arc::clone(&other);
        fake.on_request(operation, move |fake, _| {
            let mut other = other.lock().unwrap();
            match other.left {
                Some(0) => {
                    other.left = None;
                    other.edit(fake);
                }
                left => other.left = left.map(|left| left - 1),
            }
        });
    }
    let mut random = Random::new(seed(7));
    let (mut concurrent, mut written) = (0, 0);
    for number in 0..SYNCS {
        if number % 6 == 0 {
            // Keys with long histories make long responses.
            fake.remove_group(APP);
            other
                .lock()
                .unwrap()
                .model
                .iter()
                .for_each(|(key, value)| fake.set_value(APP, key, value));
            fake.clear_requests();
        }
        let (desired, prunes) = (desired(&mut random), random.one_in(2));
        other.lock().unwrap().left = Some(random.below(8));
        let sync = sync(&client, &desired, prunes);
        let result = if random.one_in(3) {
            sync.apply().await
        } else {
            match sync.plan().await {
                Ok(plan) => plan.apply().await,
                Err(error) => Err(error),
            }
        };
        let mut other = other.lock().unwrap();
        let now = state(&fake);
        match result {
            Ok(applied) => {
                written += usize::from(!applied.is_unchanged());
                for (key, value) in &desired {
                    assert_eq!(now.get(key), Some(value), "{number}: {applied}");
                }
                other.model.extend(desired);
                other.model.retain(|key, _| !applied.removed().contains(key));
            }
            Err(Error::ConcurrentEdit { applied: false, .. }) => concurrent += 1,
            Err(error) => panic!("{number}: {error:?}"),
        }
        assert_eq!(now, other.model, "{number}: nothing that no one removed is missing");
    }
    assert!(concurrent >= 60 && written >= 60, "{concurrent} concurrent, {written} written");
}
