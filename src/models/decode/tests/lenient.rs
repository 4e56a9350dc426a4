//! Informational fields never fail a page, whatever they hold; fields that are sent back are
//! refused if they are malformed.

use super::super::{DecodeFailure, FromWire, borrowed, owned};
use super::json::{CANARY, Json};
use super::{GROUP, SECRET, STORE, VERSION};
use crate::models::envelope::Listed;
use crate::models::page::Page;
use crate::models::secret::{Secret, SecretVersion};
use crate::models::secret_group::{PartialSecretGroup, SecretGroup};
use crate::models::secret_store::SecretStore;
use crate::models::shared_str::SharedStr;

const COUNT: usize = 5;
const ODD: usize = 2;

/// JSON of every type, and texts that are not JSON.
fn odd_values() -> Vec<String> {
    let mut values: Vec<String> = ["null", "true", "false", "7", "-1", "3.5", "1e400", "-0"]
        .into_iter()
        .chain([
            "\"\"",
            "\"text\"",
            r#""\ud800""#,
            r#""a\u0000b""#,
            "[]",
            "{}",
            "[1]",
            "[[]]",
            "[{}]",
        ])
        .map(str::to_owned)
        .collect();
    values.extend([
        format!(r#"{{"value":"{CANARY}"}}"#),
        format!(r#"["{CANARY}"]"#),
        format!(r#"[[{{"name":"{CANARY}"}}]]"#),
        "9".repeat(400),
    ]);
    values
}

/// What a strict field accepts.
#[derive(Clone, Copy, PartialEq)]
enum Type {
    Text,
    List,
    Object,
}

impl Type {
    fn accepts(self, json: &str) -> bool {
        match self {
            Self::Text => serde_json::from_str::<String>(json).is_ok(),
            Self::List => json == "[]",
            Self::Object => json.starts_with('{'),
        }
    }
}

/// A model with the paths of its fields; `/0/` goes into a list.
struct Fields<T> {
    valid: &'static str,
    lenient: &'static [&'static str],
    /// Those that must be present.
    required: &'static [&'static str],
    /// Those that may be absent.
    strict: &'static [(&'static str, Type)],
    id: fn(&T) -> &SharedStr,
}

fn page(item: &Json, odd: Json) -> String {
    let mut items = vec![item.clone(); COUNT];
    items[ODD] = odd;
    let data = Json::List(items);
    Json::Object(vec![("data".into(), data)]).render()
}

/// Both ways of decoding, which must agree.
fn decode<T: FromWire>(text: &str) -> Result<[T; 2], DecodeFailure> {
    let (one, other) = (owned::<T>(text.as_bytes()), borrowed::<T>(text.to_owned()));
    assert_eq!(one.is_ok(), other.is_ok(), "{text}");
    Ok([one?, other?])
}

impl<T: std::fmt::Debug> Fields<T>
where
    Listed<T>: FromWire,
{
    fn check(&self) {
        let item = Json::parse(self.valid);
        let shown_as_it_is = {
            let [Listed(page), _] = decode::<Listed<T>>(&page(&item, item.clone())).unwrap();
            format!("{:?}", page.items()[0])
        };
        for path in self.lenient {
            for value in odd_values() {
                // A version's identifier is strict.
                if path.ends_with("secretVersions") && value == "[{}]" {
                    continue;
                }
                let mut odd = item.clone();
                odd.set(path, Json::Plain(value.clone()));
                let pages = decode::<Listed<T>>(&page(&item, odd));
                let pages = pages.unwrap_or_else(|_| panic!("{path}: {value}"));
                for Listed(page) in pages {
                    assert_eq!(page.items().len(), COUNT, "{path}: {value}");
                    for n in 0..COUNT {
                        let shown = format!("{:?}", page.items()[n]);
                        assert!(!shown.contains(CANARY), "{path}: {value}: {shown}");
                        assert!(n == ODD || shown == shown_as_it_is, "{path}: {value}: {shown}");
                    }
                    let kept = (self.id)(&page.items()[ODD]).whole_buffer();
                    assert!(!kept.contains(CANARY), "{path}: {value} is kept");
                }
            }
        }
        let optional = self.strict.iter().map(|(path, of)| (*path, *of, true));
        let required = self.required.iter().map(|path| (*path, Type::Text, false));
        for (path, of, is_optional) in optional.chain(required) {
            for value in odd_values() {
                let mut odd = item.clone();
                odd.set(path, Json::Plain(value.clone()));
                let is_read = decode::<Listed<T>>(&page(&item, odd)).is_ok();
                let is_fine = of.accepts(&value) || (is_optional && value == "null");
                assert_eq!(is_read, is_fine, "{path}: {value}");
            }
        }
    }
}

const LENIENT_OF_GROUP: &[&str] = &[
    "createdBySubject",
    "createdBySubject/subjectId",
    "createdBySubject/subjectType",
    "createdBySubject/subjectSlug",
    "createdBySubject/subjectDisplayName",
    "manifest",
    "manifest/type",
    "manifest/name",
    "manifest/integration_fqn",
    "createdAt",
    "updatedAt",
    "associatedSecrets/0/createdAt",
    "associatedSecrets/0/updatedAt",
    "associatedSecrets/0/createdBySubject",
    "associatedSecrets/0/createdBySubject/subjectType",
    "associatedSecrets/0/secretVersions",
    "associatedSecrets/0/activeDeploymentsCount",
];
const STRICT_OF_GROUP: &[(&str, Type)] = &[
    ("name", Type::Text),
    ("integrationId", Type::Text),
    ("associatedSecrets", Type::List),
    ("associatedSecrets/0/name", Type::Text),
    ("associatedSecrets/0/value", Type::Text),
    ("manifest/collaborators", Type::List),
    ("manifest/ownedBy", Type::Object),
];

#[test]
fn an_odd_group_fails_no_page() {
    Fields::<SecretGroup> {
        valid: GROUP,
        lenient: LENIENT_OF_GROUP,
        required: &[
            "id",
            "fqn",
            "associatedSecrets/0/id",
            "manifest/collaborators/0/subject",
            "manifest/collaborators/0/role_id",
        ],
        strict: STRICT_OF_GROUP,
        id: |group| &group.id().0,
    }
    .check();
    Fields::<PartialSecretGroup> {
        valid: GROUP,
        lenient: LENIENT_OF_GROUP,
        required: &["id", "associatedSecrets/0/id"],
        strict: STRICT_OF_GROUP,
        id: |group| &group.id().0,
    }
    .check();
}

#[test]
fn an_odd_secret_fails_no_page() {
    Fields::<Secret> {
        valid: SECRET,
        lenient: &[
            "createdBySubject",
            "createdBySubject/subjectId",
            "createdAt",
            "updatedAt",
            "secretVersions",
            "secretVersions/0/version",
            "secretVersions/0/createdAt",
            "activeDeploymentsCount",
        ],
        required: &["id", "secretVersions/0/id"],
        strict: &[
            ("fqn", Type::Text),
            ("name", Type::Text),
            ("secretGroupId", Type::Text),
            ("value", Type::Text),
            ("secretVersions/0/value", Type::Text),
        ],
        id: |secret| &secret.id().0,
    }
    .check();
    Fields::<SecretVersion> {
        valid: VERSION,
        lenient: &["version", "createdAt", "updatedAt"],
        required: &["id"],
        strict: &[("fqn", Type::Text), ("value", Type::Text), ("secretId", Type::Text)],
        id: |version| &version.id().0,
    }
    .check();
}

#[test]
fn an_odd_store_fails_no_page() {
    Fields::<SecretStore> {
        valid: STORE,
        lenient: &["manifest", "manifest/type"],
        required: &["id"],
        strict: &[("fqn", Type::Text), ("type", Type::Text)],
        id: |store| &store.id().0,
    }
    .check();
}

#[test]
fn odd_pagination_fails_no_page() {
    type Read = fn(&Page<SecretVersion>) -> Option<u64>;
    let fields: [(_, Read); 3] =
        [("total", Page::total), ("offset", Page::offset), ("limit", Page::limit)];
    let with = |pagination: &str| format!(r#"{{"data":[{VERSION}],"pagination":{pagination}}}"#);
    for value in odd_values() {
        for Listed(page) in decode::<Listed<SecretVersion>>(&with(&value)).unwrap() {
            assert_eq!(page.items().len(), 1, "{value}");
            assert_eq!((page.total(), page.offset(), page.limit()), (None, None, None), "{value}");
        }
        for (name, read) in fields {
            let text = with(&format!(r#"{{"total":3,"offset":3,"limit":3,"{name}":{value}}}"#));
            for Listed(page) in decode::<Listed<SecretVersion>>(&text).unwrap() {
                let expected = match value.as_str() {
                    "7" => Some(7),
                    "-0" => Some(0),
                    _ => None,
                };
                assert_eq!(read(&page), expected, "{name}: {value}");
            }
        }
        let text = format!(r#"{{"data":{value}}}"#);
        let is_read = decode::<Listed<SecretVersion>>(&text).is_ok();
        assert_eq!(is_read, value == "[]", "data: {value}");
    }
}

#[test]
fn a_byte_order_mark_is_no_json_and_no_failure() {
    let text = format!("\u{feff}{{\"data\":[{GROUP}],\"pagination\":{{\"total\":1}}}}");
    for Listed(page) in decode::<Listed<SecretGroup>>(&text).unwrap() {
        assert_eq!(page.items()[0].fqn(), "t:app");
        assert_eq!(page.items()[0].created_by().and_then(|by| by.slug()), Some("a@b"));
    }
    assert_eq!(super::count("\u{feff}3".as_bytes()), Ok(Some(3)));
}
