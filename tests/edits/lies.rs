//! Lists that lie: an edit writes the full list of all keys that are there, or nothing.

use truefoundry_secrets::{Error, NewSecretGroup, SecretStoreKind};

use crate::liar::{GROUP, LIES, Lie, Liar, key};

/// The sizes at which pages end in different ways, and the most entries of a page.
const SIZES: [(usize, usize); 7] =
    [(1, 100), (3, 100), (3, 2), (100, 100), (120, 50), (150, 100), (250, 100)];

fn with_new(keys: usize) -> Vec<String> {
    let mut keys: Vec<String> = (0..keys).map(key).collect();
    keys.push("NEW".to_owned());
    keys
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

#[tokio::test]
async fn an_edit_deletes_no_key_whatever_a_list_says() {
    let mut lost = Vec::new();
    for lie in LIES {
        for own in [true, false] {
            for (keys, cap) in SIZES {
                let liar = Liar::start(lie, own, keys, cap).await;
                let client = liar.client();
                let edit = client.secret_groups().edit(GROUP).set("NEW", "1").skip_store_rules();
                let result = edit.apply().await;
                for written in liar.written().await {
                    if sorted(written.clone()) != with_new(keys) {
                        lost.push(format!("{lie:?} own:{own} {keys}/{cap}: {}", written.len()));
                    }
                }
                if let Err(error) = result {
                    let refused = matches!(error, Error::Decode { .. } | Error::ConcurrentEdit { .. });
                    assert!(refused, "{lie:?} {own} {keys}: {error:?}");
                }
            }
        }
    }
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.join("\n"));
}
