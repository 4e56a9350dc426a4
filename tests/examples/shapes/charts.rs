//! Values of charts, and what deploys them.

use super::Shape;

pub(super) const SHAPES: [Shape; 4] = [
    Shape {
        what: "values of a database's chart",
        text: r#"## @param auth.password Write a tfy-secret:// reference here, never the password itself
##
global: {imagePullSecrets: [registry], storageClass: ""}
auth:
  enablePostgresUser: true
  username: shop
  password: made-up-1
  replicationPassword: >-
    made-up-2
  database: shop
  existingSecret: shop-db
  secretKeys:
    adminPasswordKey: postgres-password
    userPasswordKey: password
primary:
  initdb:
    scripts:
      init.sql: |
        create table t (id int);
  affinity:
    podAntiAffinity:
      - {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: db}}}
metrics: {enabled: false, customMetrics: {}}
"#,
        moved: &[
            ("password: made-up-1", "password: REF", "AUTH_PASSWORD"),
            (
                "replicationPassword: >-\n    made-up-2\n",
                "replicationPassword: REF\n",
                "AUTH_REPLICATION_PASSWORD",
            ),
        ],
    },
    Shape {
        what: "values with anchors and tags",
        text: "x-env: &env\n  REDIS_URL: redis://:made-up@cache:6379/0\n  MODE: !!str live\nweb: {env: *env}\njobs:\n  \
               env:\n    <<: *env\n    QUEUE: jobs\n    SENTRY_DSN: {{ .Values.dsn }}\n  password: !vault |\n    \
               $ANSIBLE_VAULT;1.1;AES256\n    6162\n",
        moved: &[("redis://:made-up@cache:6379/0", "REF", "REDIS_URL")],
    },
    Shape {
        what: "an application of Argo CD",
        text: "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec:\n  project: default\n  \
               source:\n    repoURL: https://charts.example.com\n    helm:\n      parameters:\n        - name: \
               auth.password\n          value: made-up\n        - {name: replicas, value: \"2\"}\n        - name: \
               \"auth.token\"\n          value: <path:secret/data/shop#token>\n",
        moved: &[("value: made-up", "value: REF", "SPEC_SOURCE_HELM_PARAMETERS_AUTH_PASSWORD")],
    },
    Shape {
        what: "a collector's configuration",
        text: "receivers: {otlp: {protocols: {grpc: }}}\nexporters:\n  otlp:\n    endpoint: otel.example.com:4317\n    \
               headers:\n      api-key: made-up\n      x-team: shop\n  otlphttp:\n    headers: {authorization: \
               \"Bearer ${env:OTEL_TOKEN}\"}\nservice:\n  telemetry: {metrics: {level: none}}\n",
        moved: &[("api-key: made-up", "api-key: REF", "EXPORTERS_OTLP_HEADERS_API_KEY")],
    },
];
