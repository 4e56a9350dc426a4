//! Manifests as people write them. Each one stays the same, byte for byte, except for the moved
//! values.

mod charts;
mod kubernetes;
mod tools;
mod truefoundry;

use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::process::{Run, example_on};

struct Shape {
    what: &'static str,
    text: &'static str,
    /// The text before, the text after, with `REF` for the reference, and the variable.
    moved: &'static [(&'static str, &'static str, &'static str)],
}

impl Shape {
    fn expected(&self) -> String {
        self.moved.iter().fold(self.text.to_owned(), |text, (before, after, variable)| {
            assert_eq!(text.matches(before).count(), 1, "{}: {before}", self.what);
            let reference = format!("tfy-secret://my-tenant:shapes:{variable}");
            text.replace(before, &after.replace("REF", &reference))
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_come_out_byte_for_byte_but_for_what_moved() {
    let all = truefoundry::SHAPES
        .iter()
        .chain(&kubernetes::SHAPES)
        .chain(&charts::SHAPES)
        .chain(&tools::SHAPES);
    let all: Vec<_> = all.collect();
    assert!(all.len() >= 20);
    for shape in all {
        let what = shape.what;
        let fake = FakeTrueFoundry::start().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.yaml");
        let run = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let arguments = [path.to_str().unwrap(), "--group", "shapes", "--yes"];
            let mut command = example_on(&fake, "secrets_before_deploy", &arguments);
            for (_, _, variable) in shape.moved {
                command.env(variable, format!("from-the-environment-{variable}"));
            }
            let ran = command.run().ended_with(0);
            assert!(!ran.all().contains("from-the-environment"), "{what}: {}", ran.all());
            assert!(!ran.stderr.contains("made"), "{what}: {}", ran.stderr);
            assert!(ran.stderr.contains("tfy apply -f"), "{what}: {}", ran.stderr);
            ran.stdout
        };
        let expected = shape.expected();
        assert_eq!(run(shape.text), expected, "{what}");
        for (_, _, variable) in shape.moved {
            let value = fake.value("shapes", variable);
            assert_eq!(value, Some(format!("from-the-environment-{variable}")), "{what}");
        }
        // Run again, then run on the output.
        assert_eq!(run(shape.text), expected, "{what}");
        fake.clear_requests();
        assert_eq!(run(&expected), expected, "{what}");
        assert_eq!(fake.request_count(), 0, "{what}");
    }
}
