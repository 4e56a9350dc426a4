//! Wrong lists: an edit writes the full list of all existing keys, or nothing.

use truefoundry_secrets::{Error, NewSecretGroup};

use crate::liar::{GROUP, LIES, Liar, Lie, key};

/// Numbers of keys with the maximum entries of a page, for which lists end in different ways.
const SIZES: [(usize, usize); 5] = [(1, 100), (3, 100), (3, 2), (100, 100), (150, 100)];

fn with_new(keys: usize) -> Vec<String> {
    let mut keys: Vec<String> = (0..keys).map(key).collect();
    keys.push("NEW".to_owned());
    keys
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

/// Runs `act` against every lie: it must write the full list and `NEW`, or fail because it could
/// not read the lists. Returns the cases that failed.
async fn writes_all_or_nothing<T>(
    sizes: &[(usize, usize)],
    act: impl AsyncFn(&Liar) -> Result<T, Error>,
) -> Vec<String> {
    let (mut lost, mut refused) = (Vec::new(), Vec::new());
    for lie in LIES {
        for own in [true, false] {
            for &(keys, cap) in sizes {
                let case = format!("{lie:?} {} {keys}/{cap}", if own { "own" } else { "-" });
                let liar = Liar::start(lie, own, keys, cap).await;
                let result = act(&liar).await;
                let written = liar.written().await;
                assert!(result.is_err() || written.len() == 1, "{case}: {}", written.len());
                if written.iter().any(|list| sorted(list.clone()) != with_new(keys)) {
                    lost.push(case.clone());
                }
                if let Err(error) = result {
                    let is_about_lists =
                        matches!(error, Error::Decode { .. } | Error::ConcurrentEdit { .. });
                    assert!(is_about_lists, "{case}: {error:?}");
                    refused.push(case);
                }
            }
        }
    }
    assert!(lost.is_empty(), "keys were deleted: {lost:#?}");
    refused
}

#[tokio::test]
async fn an_edit_deletes_no_key_whatever_a_list_says() {
    let refused = writes_all_or_nothing(&SIZES, async |liar| {
        let client = liar.client();
        client.secret_groups().edit(GROUP).set("NEW", "1").skip_store_rules().apply().await
    })
    .await;
    assert_tells_all(&refused);
}

/// The lists of these servers are enough to know all keys.
fn assert_tells_all(refused: &[String]) {
    for readable in [
        "NoTotal ",
        "TotalOfZero ",
        "TotalTooLow ",
        "RepeatedInPlace own",
        "RepeatedInAddition ",
        "Missing own 3/",
        "Missing own 100/",
        "Missing own 150/",
        "OrderThatChanges own",
        "PagesThatRepeat own 1/",
        "PagesThatRepeat own 3/100",
        "NoPaging own 150/",
        "NoPaging - 150/",
        "OwnCut ",
        "OwnRepeated ",
    ] {
        let refused: Vec<_> = refused.iter().filter(|case| case.starts_with(readable)).collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
}

#[tokio::test]
async fn ensure_deletes_no_key_whatever_a_list_says() {
    let refused = writes_all_or_nothing(&SIZES[1..3], async |liar| {
        let new =
            NewSecretGroup::in_integration("app", "store-1").secret("NEW", "1").secret(key(0), "2");
        liar.client().secret_groups().ensure(new.skip_store_rules()).await
    })
    .await;
    assert_tells_all(&refused);
}

#[tokio::test]
async fn a_removal_deletes_the_secret_that_it_names_and_no_other() {
    for lie in LIES {
        for own in [true, false] {
            let liar = Liar::start(lie, own, 3, 100).await;
            let result = liar.client().secret_groups().edit(GROUP).remove(key(0)).apply().await;
            let deleted = liar.deleted().await;
            assert_eq!(deleted.is_empty(), result.is_err(), "{lie:?} {own} {result:?}");
            assert!(deleted.iter().all(|id| id == "s-K000"), "{lie:?} {own} {deleted:?}");
        }
    }
}

/// One of them would be kept, and the other deleted by the list that is written.
#[tokio::test]
async fn a_key_under_two_identifiers_is_read_three_times_and_refused() {
    let liar = Liar::start(Lie::TwoIdentifiers, false, 3, 100).await;
    let plan = liar.client().secret_groups().edit(GROUP).set("NEW", "1").skip_store_rules().plan();
    let error = plan.await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    assert_eq!(liar.lists(), 3);
}
