//! Wrong lists: a part of a group is never returned as the whole.

use truefoundry_secrets::Error;

use crate::liar::{GROUP, LIES, Liar, Lie, key};

#[tokio::test]
async fn a_group_is_all_of_its_keys_whatever_a_list_says() {
    let mut read = 0;
    for lie in LIES {
        for own in [true, false] {
            for (keys, cap) in [(1, 100), (3, 100), (3, 2), (100, 100), (150, 100)] {
                let case = format!("{lie:?} {own} {keys}/{cap}");
                let liar = Liar::start(lie, own, keys, cap).await;
                let client = liar.client();
                let by_name = client.resolve_group("app").await;
                let by_id = client.resolve_group_by_id(GROUP).await;
                for result in [by_name, by_id] {
                    match result {
                        Ok(values) => {
                            read += 1;
                            let all = (0..keys).all(|n| values.get(&key(n)).is_some());
                            assert!(all && values.len() == keys, "{case}: {}", values.len());
                        }
                        Err(Error::Decode { .. } | Error::Unresolved { .. }) => {}
                        Err(error) => panic!("{case}: {error:?}"),
                    }
                }
            }
        }
    }
    assert!(read > 150, "{read}");
}

#[tokio::test]
async fn a_total_that_is_too_low_hides_nothing() {
    for lie in [Lie::NoTotal, Lie::TotalOfZero, Lie::TotalTooLow, Lie::RepeatedInAddition] {
        let liar = Liar::start(lie, false, 150, 100).await;
        let values = liar.client().resolve_group_by_id(GROUP).await.unwrap();
        assert_eq!((values.len(), liar.lists()), (150, 3), "{lie:?}");
    }
}
