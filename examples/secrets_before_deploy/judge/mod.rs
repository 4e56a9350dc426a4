//! Whether a value is a secret, judged by its name and by what it looks like. It errs towards yes:
//! a value that is moved needlessly still works.

mod elsewhere;
mod names;
mod tokens;
mod values;

pub(crate) use names::{is_in_collection, is_pointer, words};

/// What a value is judged to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing suggests a secret.
    Clear,
    /// A reference or a template of another system.
    Elsewhere,
    /// The value is a secret, or one setting that holds it. With the reason.
    Secret(&'static str),
    /// A secret is part of a longer text. With the reason.
    Inside(&'static str),
}

/// Judges a value by its name and by what it looks like.
pub(crate) fn judge(name: &str, value: &str) -> Verdict {
    let value = value.trim();
    if elsewhere::is_wholly(values::without_scheme(value)) {
        // `${TOKEN:-ghp_...}` has a default.
        return tokens::within(value).map_or(Verdict::Elsewhere, Verdict::Inside);
    }
    let by_value = values::find(value);
    match by_value {
        Verdict::Secret(_) => by_value,
        _ => names::why(name, value).map_or(by_value, Verdict::Secret),
    }
}

/// Judges a text that has no name and is not a value, such as a comment or a name itself.
pub(crate) fn is_leak(text: &str) -> Option<&'static str> {
    values::find_leak(text.trim())
}

#[cfg(test)]
mod tests {
    use super::{Verdict, is_leak, judge};

    #[track_caller]
    fn all(cases: &[(&str, &str)], is_right: impl Fn(Verdict) -> bool) {
        for (name, value) in cases {
            let verdict = judge(name, value);
            assert!(is_right(verdict), "{name}: {value}: {verdict:?}");
        }
    }

    #[test]
    fn secrets_are_found_by_name_and_by_value() {
        let cases = [
            ("DB_PASSWORD", "12345"),
            ("dbPassword", "x"),
            ("spring.datasource.password", "x"),
            ("PGPASSWORD", "x"),
            ("MYAPIKEY", "x"),
            ("DATABASE_URL", "postgres://u:p@h/d"),
            ("SMTP_PASS", "x"),
            ("GITHUB_TOKEN", "x"),
            ("OPENAI_API_KEY", ""),
            ("AWS_ACCESS_KEY_ID", "x"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("GOOGLE_CREDENTIALS", "{}"),
            ("SENTRY_DSN", "https://key@host/1"),
            ("AZURE_CONNECTION_STRING", "x"),
            ("Authorization", "made-up"),
            ("auth", "bWFkZTp1cA=="),
            ("REDIS", "redis://:hunter2@cache:6379/0"),
            ("BROKERS", "amqp://a:b@one,amqp://a:b@two"),
            ("STORAGE", "AccountName=a;AccountKey=abc;EndpointSuffix=x"),
            ("JDBC", "jdbc:sqlserver://h;user=a;password=b"),
            ("LIBPQ", "host=h user=u password=p"),
            ("SAS", "https://h/c?sv=1&sig=abc"),
            ("GO", "root:hunter2@tcp(db:3306)/app"),
            ("client-key-data", "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ+/=="),
            ("CERT", "-----BEGIN RSA PRIVATE KEY-----\nx"),
            ("SIGNING", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl"),
        ];
        all(&cases, |verdict| matches!(verdict, Verdict::Secret(_)));
    }

    #[test]
    fn credentials_within_a_setting_are_found() {
        let cases = [
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer made-up-token-value"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x=1,authorization=Bearer made-up-token-value"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x=1,api-key=made-up"),
            ("TRACELOOP_HEADERS", "Authorization=Bearer%20made-up-token-value"),
            ("HEADER", "Authorization: Bearer made-up-token-value"),
            ("UPSTREAM", "Basic bWFkZTp1cA=="),
            ("VECTOR_DB_CONFIG", "{\"provider\":\"made-up\",\"api_key\":\"made-up-token-value\"}"),
            ("DEEP", "{\"a\":[{\"headers\":{\"x\":\"Bearer made-up-token-value\"}}]}"),
        ];
        all(&cases, |verdict| matches!(verdict, Verdict::Secret(_)));
        let cases = [
            ("EMPTY_CONFIG", "{\"provider\":\"made-up\",\"api_key\":\"\"}"),
            ("TEMPLATE", "{\"api_key\":\"${KEY}\"}"),
            ("HEADERS", "x=1,y=2"),
            ("SCHEME", "Bearer authentication"),
            ("KIND", "Basic"),
        ];
        all(&cases, |verdict| verdict == Verdict::Clear);
    }

    #[test]
    fn tokens_are_known_by_their_beginning() {
        for token in [
            "tfy_madeupmadeupmadeupmadeup",
            "rk_live_madeupmadeupmadeup",
            "SG.madeupmadeup.madeupmadeupmadeupmadeup",
            "hvs.madeupmadeupmadeupmadeup",
            "dapi00000000000000000000000000000000",
            "sk-proj-madeupmadeupmadeup",
            "https://hooks.slack.com/services/T0/B0/madeup",
        ] {
            assert!(matches!(judge("X", token), Verdict::Secret(_)), "{token}");
            let text = format!("curl -d @x {token}, then wait");
            assert!(matches!(judge("X", &text), Verdict::Inside(_)), "{token}");
            assert!(is_leak(&text).is_some(), "{token}");
        }
        for text in [
            "sk-learn",
            "acme/sk-learn-model-server-x:1",
            "tfy_",
            "dapi",
            "npm_config_cache",
            "risk-ghp_",
            "hf_hub",
        ] {
            assert_eq!(judge("X", text), Verdict::Clear, "{text}");
        }
    }

    #[test]
    fn a_secret_within_a_longer_text_is_told_apart() {
        let cases = [
            ("args", "--password=made-up"),
            ("args", "--api-token made-up --verbose"),
            ("script", "export DB_PASSWORD=made-up\n./run\n"),
            ("command", "DB_PASSWORD=made-up ./run"),
            ("command", "psql postgres://u:p@h/d -c 'select 1'"),
            ("command", "curl -H 'Authorization: Bearer made-up-token-value' https://h"),
            ("application.yaml", "server:\n  port: 1\n  password: \"made-up\"\n"),
            (".npmrc", "a=b\n//registry.example.com/:_authToken=made-up\n"),
            ("init.sql", "CREATE USER app WITH PASSWORD 'made-up';"),
            ("app.ini", "[db]\npassword = made-up\n"),
            ("script", "#!/bin/sh\ncat <<X\n-----BEGIN PRIVATE KEY-----\nX\n"),
            ("image", "${TOKEN:-ghp_madeupmadeupmadeupmadeup}"),
        ];
        all(&cases, |verdict| matches!(verdict, Verdict::Inside(_)));
    }

    #[test]
    fn what_points_elsewhere_is_no_secret() {
        let cases = [
            ("DB_PASSWORD", "${k8s-secret/made-up-creds/DB_PASSWORD}"),
            ("DB_PASSWORD", "${secret:made-up}"),
            ("DB_PASSWORD", "$(DB_PASSWORD)"),
            ("DB_PASSWORD", "$DB_PASSWORD"),
            ("Authorization", "Bearer ${TOKEN}"),
            ("DB_PASSWORD", "${DB_USER}:${DB_PASSWORD:?missing}"),
            ("DB_PASSWORD", "{{ .Values.auth.password | quote }}"),
            ("DB_PASSWORD", "${{ secrets.DB_PASSWORD }}"),
            ("DB_PASSWORD", "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"),
            ("DB_PASSWORD", "<path:secret/data/db#password>"),
            ("DB_PASSWORD", "ref+vault://secret/db#/password"),
            ("DB_PASSWORD", "op://vault/item/password"),
            ("DB_SECRET", "arn:aws:secretsmanager:eu-west-1:1:secret:x"),
            ("DB_SECRET", "projects/p/secrets/s/versions/latest"),
        ];
        all(&cases, |verdict| verdict == Verdict::Elsewhere);
        let cases = [
            ("URL", "postgres://u:${DB_PASSWORD}@h/d"),
            ("URL", "postgres://u:$(DB_PASSWORD)@h/d"),
            ("HEADERS", "authorization=Bearer ${TOKEN}"),
            ("script", "login --password=$PASSWORD --token {{ token }}"),
        ];
        all(&cases, |verdict| verdict == Verdict::Clear);
        // Only a part of it does.
        all(&[("DB_PASSWORD", "$ecret"), ("DB_PASSWORD", "a${b}")], |verdict| {
            matches!(verdict, Verdict::Secret(_))
        });
    }

    #[test]
    fn what_only_speaks_of_secrets_is_left() {
        let cases = [
            ("LOG_LEVEL", "info"),
            ("MAX_TOKENS", "512"),
            ("TOKEN_URL", "https://id.example.com/token"),
            ("PASSWORD_MIN_LENGTH", "12"),
            ("ENABLE_PASSWORD_LOGIN", "true"),
            ("PRIVATE_KEY_FILE", "/etc/key.pem"),
            ("JWT_PUBLIC_KEY", "x"),
            ("PWD", "/app"),
            ("KEYBOARD", "de"),
            ("DATABASE_URL", "postgres://db:5432/app"),
            ("MAIL_FROM", "https://example.com/a:b@c"),
            ("PRIMARY_KEY", "id"),
            ("NOTES", "Key: made-up\nKeys: none\n"),
            ("key", "node-role.kubernetes.io/gpu"),
            ("TLS_KEY", "/etc/tls/tls.key"),
            ("caBundle", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tMADEUP"),
            ("topologyKey", "kubernetes.io/hostname"),
            ("secretName", "app-tls"),
            ("existingSecret", "app-creds"),
            ("existingPasswordSecretKey", "password"),
            ("baseImagePullSecret", "registry"),
            ("configFromSecret", "app"),
            ("secretFieldSelector", "type!=x"),
            ("description", "the Basic Authentication credentials used by the client"),
            ("adminPasswordKey", "admin-password"),
            ("password_secret_fqn", "my-org:app:KEY"),
            ("automountServiceAccountToken", "false"),
            ("eos_token", "</s>"),
            ("auth", "basic"),
            ("authorization", "enabled"),
            ("image", "postgres@sha256:0123456789abcdef0123456789abcdef"),
            ("command", "run --port=80 --token-file=/x --tls-key=/etc/tls.key"),
            ("usage", "login --password=<password> --token=`cat /x`"),
            ("query", "https://h/p?a=1&b=2"),
            ("nginx.conf", "server {\n  listen 80;\n  location / { }\n}\n"),
        ];
        all(&cases, |verdict| verdict == Verdict::Clear);
    }
}
