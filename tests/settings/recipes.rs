//! The results of the documentation's recipes.

use serde::Deserialize;
use truefoundry_secrets::{SecretMap, SecretValue, env_name};

use crate::map;

#[derive(Debug, Deserialize)]
struct Settings {
    db_password: SecretValue,
    pool_size: u32,
}

fn values() -> SecretMap {
    map([("DB-PASSWORD", "correct \"horse\"\n"), ("pool.SIZE", "10")])
}

#[test]
fn config_takes_the_values_as_its_last_layer() {
    let mut layers = config::Config::builder()
        .set_default("pool_size", 5)
        .unwrap()
        .set_default("db_password", "lower")
        .unwrap();
    for (key, value) in values().iter() {
        let name = env_name(key).to_lowercase();
        layers = layers.set_override(name, value.expose_secret()).unwrap();
    }
    let settings: Settings = layers.build().unwrap().try_deserialize().unwrap();
    assert_eq!(settings.pool_size, 10);
    assert_eq!(settings.db_password.expose_secret(), "correct \"horse\"\n");
}

#[test]
fn figment_takes_the_values_as_its_last_layer() {
    let mut layers =
        figment::Figment::new().merge(("pool_size", 5)).merge(("db_password", "lower"));
    for (key, value) in values().iter().filter(|(key, _)| key.starts_with("DB")) {
        layers = layers.merge((env_name(key).to_lowercase(), value.expose_secret()));
    }
    let settings: Settings = layers.extract().unwrap();
    assert_eq!(settings.pool_size, 5);
    assert_eq!(settings.db_password.expose_secret(), "correct \"horse\"\n");
}
