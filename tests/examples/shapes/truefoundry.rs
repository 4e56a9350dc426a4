//! What is applied with `tfy apply`.

use super::Shape;

pub(super) const SHAPES: [Shape; 8] = [
    Shape {
        what: "a service",
        text: r#"# the api, as it runs in staging
name: shop-api
type: service
image:
  type: build
  build_source: {type: git, repo_url: 'https://git.example.com/shop', ref: main}
  build_spec:
    type: dockerfile
    dockerfile_path: ./Dockerfile
    build_secrets:
      - name: NPM_TOKEN   # for private packages
        value: "made-up-npm"
ports:
  - {port: 8000, expose: true, protocol: TCP, app_protocol: http, host: shop.example.com}
env:
    LOG_LEVEL:   info
    PORT: 8000
    DB_PASSWORD:   made-up-one     # rotated monthly
    'API_KEY' : 'it''s made up'
    SESSION_SECRET:
    JWT_TTL_SECONDS: "3600"
    UPSTREAM_TOKEN: tfy-secret://my-org:shared:UPSTREAM_TOKEN
    CACHE_PASSWORD: ${k8s-secret/cache/PASSWORD}
liveness_probe: {config: {type: http, path: /health, port: 8000}}
resources: { cpu_request: 0.5, cpu_limit: 1, memory_request: 512, memory_limit: 1024 }
workspace_fqn: cluster:workspace

"#,
        moved: &[
            ("value: \"made-up-npm\"", "value: \"REF\"", "NPM_TOKEN"),
            ("DB_PASSWORD:   made-up-one", "DB_PASSWORD:   REF", "DB_PASSWORD"),
            ("'API_KEY' : 'it''s made up'", "'API_KEY' : 'REF'", "API_KEY"),
            ("SESSION_SECRET:\n", "SESSION_SECRET: REF\n", "SESSION_SECRET"),
        ],
    },
    Shape {
        what: "a job",
        text: "name: nightly-report\ntype: job\nimage: {type: image, image_uri: docker.io/acme/report:7, \
               command: python report.py --out s3://reports}\ntrigger:\n  type: scheduled\n  schedule: '0 3 * * *'\n  \
               concurrency_policy: Forbid\nparams:\n- {name: day, param_type: string, default: today}\nenv:\n  \
               WAREHOUSE_URL: snowflake://loader:made-up@acme/db?warehouse=xs\n  SMTP_PASS: |-\n    made up\n    in two \
               lines\n  REPORT_BUCKET: reports\nretries: 1\n",
        moved: &[
            ("snowflake://loader:made-up@acme/db?warehouse=xs", "REF", "WAREHOUSE_URL"),
            ("SMTP_PASS: |-\n    made up\n    in two lines\n", "SMTP_PASS: REF\n", "SMTP_PASS"),
        ],
    },
    Shape {
        what: "a service with mounts and registry credentials",
        text: "name: worker\ntype: service\nimage:\n  type: image\n  image_uri: registry.example.com/worker:1\n  \
               docker_registry: my-org:docker:registry\nmounts:\n  - {type: secret, mount_path: /etc/key, secret_fqn: \
               'tfy-secret://my-org:worker:KEY'}\n  - type: string\n    mount_path: /app/key.pem\n    data: |\n      \
               -----BEGIN PRIVATE KEY-----\n      bWFkZSB1cA==\n      -----END PRIVATE KEY-----\n  - {type: \
               config_map, mount_path: /etc/app, config_map_name: app}\nauth:\n  type: basic_auth\n  username: ops\n  \
               password: made-up\n",
        moved: &[
            (
                "data: |\n      -----BEGIN PRIVATE KEY-----\n      bWFkZSB1cA==\n      -----END PRIVATE KEY-----\n",
                "data: REF\n",
                "MOUNTS_1_DATA",
            ),
            ("password: made-up", "password: REF", "AUTH_PASSWORD"),
        ],
    },
    Shape {
        what: "a chart",
        text: "type: helm\nname: made-up\nsource: {type: helm-repo, chart: cache}\nvalues:\n  auth:\n    password: \
               \"made-up-value-1\"\n    username: cache\n    existingSecret: \"\"\n",
        moved: &[("\"made-up-value-1\"", "\"REF\"", "VALUES_AUTH_PASSWORD")],
    },
    Shape {
        what: "a set of components",
        text: "name: shop\ntype: application-set\ncomponents:\n- name: web\n  type: service\n  env: {STRIPE: \
               rk_live_madeupmadeupmadeup, MODE: live}\n- name: jobs\n  type: job\n  env:\n    STRIPE: \
               rk_live_madeupmadeupmadeup\n    MODE: live\n",
        moved: &[
            ("{STRIPE: rk_live_madeupmadeupmadeup,", "{STRIPE: REF,", "STRIPE"),
            ("    STRIPE: rk_live_madeupmadeupmadeup\n", "    STRIPE: REF\n", "STRIPE"),
        ],
    },
    Shape {
        what: "a workflow",
        text: "name: train\ntype: workflow\nworkflow_file_path: train.py\nsource:\n  type: local\ntasks:\n  - task: \
               prepare\n    env:\n      - name: HF_TOKEN\n        value: hf_madeupmadeupmadeupmadeup\n      - {name: \
               EPOCHS, value: \"3\"}\n  - task: evaluate\n    env: []\nalerts:\n  - notification_target: {type: \
               slack, webhook: 'https://hooks.slack.com/services/T0/B0/madeup'}\n",
        moved: &[
            ("value: hf_madeupmadeupmadeupmadeup", "value: REF", "HF_TOKEN"),
            (
                "'https://hooks.slack.com/services/T0/B0/madeup'",
                "'REF'",
                "ALERTS_0_NOTIFICATION_TARGET_WEBHOOK",
            ),
        ],
    },
    Shape {
        what: "an MCP server behind the gateway",
        text: "name: tickets\ntype: mcp-server/remote\nurl: https://tickets.example.com/mcp\nauth_data:\n  type: \
               header\n  headers:\n    Authorization: Bearer made-up-token\n    X-Trace: on\n  # the gateway's own\n  \
               fallback: {Authorization: \"Bearer tfy-secret://my-org:tickets:TOKEN\"}\n",
        moved: &[(
            "Authorization: Bearer made-up-token",
            "Authorization: REF",
            "AUTH_DATA_HEADERS_AUTHORIZATION",
        )],
    },
    Shape {
        what: "a provider account",
        text: "name: models\ntype: provider-account/openai\nauth_data: {type: api-key, api_key: \
               'sk-madeupmadeupmadeupmadeup'}\nintegrations:\n  - name: small\n    type: integration/model/openai\n    \
               model_id: small-1\n    max_tokens: 4096\n",
        moved: &[("'sk-madeupmadeupmadeupmadeup'", "'REF'", "AUTH_DATA_API_KEY")],
    },
];
