//! The keys of the compose specification and the kinds of their values.

use super::Keys::{Free, Names};
use super::Repeats::{Allowed, Refused};
use super::Shape;
use super::Shape::{
    Any, Bool, Castable, Duration, Either, Fields, List, Name, Named, Null, Open, Part, Size, Switch, Text, Word,
};

const WHOLE: Shape = Castable(super::Number::Whole);
const LOOSE: Shape = Castable(super::Number::Loose);
const FRACTION: Shape = Castable(super::Number::Fraction);
const NUMBER: Shape = Shape::Number;
const TEXT_OR_NUMBER: Shape = Either(&[&Text, &NUMBER]);
const TEXT_OR_NULL: Shape = Either(&[&Text, &Null]);
const BYTES: Shape = Either(&[&Size, &NUMBER]);
const TEXTS: Shape = List(&Text, Allowed);
/// Texts that docker compose makes unique before it looks (compose-go override/uncity.go) are plain [`TEXTS`].
const DISTINCT: Shape = List(&Text, Refused);
const ONE_OR_MORE: Shape = Either(&[&Text, &TEXTS]);
const PLAIN: Shape = Either(&[&Text, &NUMBER, &Bool, &Null]);
/// A map of values, or a list of `KEY=VALUE`.
const PAIRS: Shape = Either(&[&Named(&PLAIN, Free), &TEXTS]);
const OPTIONS: Shape = Named(&TEXT_OR_NUMBER, Free);
const COMMAND: Shape = Either(&[&Null, &Text, &TEXTS]);
const HOSTS: Shape = Either(&[&Named(&Either(&[&Text, &TEXTS]), Free), &DISTINCT]);

pub(super) const PROJECT: Shape = Fields(
    &[
        ("version", &Text),
        ("name", &Text),
        ("include", &List(&INCLUDE, Allowed)),
        ("services", &Named(&SERVICE, Names)),
        ("models", &Named(&MODEL, Free)),
        ("networks", &Named(&NETWORK, Free)),
        ("volumes", &Named(&VOLUME, Names)),
        ("secrets", &Named(&SECRET, Names)),
        ("configs", &Named(&CONFIG, Names)),
    ],
    &[],
);

const INCLUDE: Shape =
    Either(&[&Text, &Fields(&[("path", &ONE_OR_MORE), ("env_file", &ONE_OR_MORE), ("project_directory", &Text)], &[])]);

const EXTERNAL: Shape = Either(&[&Switch, &Fields(&[("name", &Text)], &[])]);

const NETWORK: Shape = Either(&[
    &Null,
    &Fields(
        &[
            ("name", &Text),
            ("driver", &Text),
            ("driver_opts", &OPTIONS),
            (
                "ipam",
                &Fields(&[("driver", &Text), ("config", &List(&POOL, Allowed)), ("options", &Named(&Text, Free))], &[]),
            ),
            ("external", &EXTERNAL),
            ("internal", &Switch),
            ("enable_ipv4", &Switch),
            ("enable_ipv6", &Switch),
            ("attachable", &Switch),
            ("labels", &PAIRS),
        ],
        &[],
    ),
]);

const POOL: Shape =
    Fields(&[("subnet", &Text), ("ip_range", &Text), ("gateway", &Text), ("aux_addresses", &Named(&Text, Free))], &[]);

const VOLUME: Shape = Either(&[
    &Null,
    &Fields(
        &[("name", &Text), ("driver", &Text), ("driver_opts", &OPTIONS), ("external", &EXTERNAL), ("labels", &PAIRS)],
        &[],
    ),
]);

const SECRET: Shape = Fields(
    &[
        ("name", &Text),
        ("environment", &Text),
        ("file", &Text),
        ("external", &Either(&[&Switch, &Named(&Any, Free)])),
        ("labels", &PAIRS),
        ("driver", &Text),
        ("driver_opts", &OPTIONS),
        ("template_driver", &Text),
    ],
    &[],
);

const CONFIG: Shape = Fields(
    &[
        ("name", &Text),
        ("content", &Text),
        ("environment", &Text),
        ("file", &Text),
        ("external", &Either(&[&Switch, &Named(&Any, Free)])),
        ("labels", &PAIRS),
        ("template_driver", &Text),
    ],
    &[],
);

const MODEL: Shape =
    Fields(&[("name", &Text), ("model", &Text), ("context_size", &WHOLE), ("runtime_flags", &TEXTS)], &["model"]);

const SERVICE: Shape = Fields(
    &[
        ("annotations", &PAIRS),
        ("attach", &Switch),
        ("blkio_config", &BLKIO),
        ("build", &Either(&[&Text, &BUILD])),
        ("cap_add", &TEXTS),
        ("cap_drop", &TEXTS),
        ("cgroup", &Word(&["host", "private"])),
        ("cgroup_parent", &Text),
        ("command", &COMMAND),
        ("configs", &MOUNTED),
        ("container_name", &Name),
        ("cpu_count", &WHOLE),
        ("cpu_percent", &FRACTION),
        ("cpu_period", &LOOSE),
        ("cpu_quota", &LOOSE),
        ("cpu_rt_period", &LOOSE),
        ("cpu_rt_runtime", &LOOSE),
        ("cpu_shares", &LOOSE),
        ("cpus", &FRACTION),
        ("cpuset", &Text),
        ("credential_spec", &Fields(&[("config", &Text), ("file", &Text), ("registry", &Text)], &[])),
        ("depends_on", &Either(&[&DISTINCT, &Named(&DEPENDENCY, Names)])),
        ("deploy", &Either(&[&Null, &DEPLOY])),
        ("develop", &Either(&[&Null, &Fields(&[("watch", &List(&WATCH, Allowed))], &[])])),
        ("device_cgroup_rules", &DISTINCT),
        ("devices", &List(&Either(&[&Text, &DEVICE]), Allowed)),
        ("dns", &ONE_OR_MORE),
        ("dns_opt", &TEXTS),
        ("dns_search", &ONE_OR_MORE),
        ("domainname", &Text),
        ("entrypoint", &COMMAND),
        ("env_file", &Either(&[&Text, &List(&Either(&[&Text, &ENV_FILE]), Allowed)])),
        ("environment", &PAIRS),
        ("expose", &List(&TEXT_OR_NUMBER, Allowed)),
        ("extends", &Either(&[&Text, &Fields(&[("service", &Text), ("file", &Text)], &["service"])])),
        ("external_links", &DISTINCT),
        ("extra_hosts", &HOSTS),
        ("gpus", &Either(&[&Word(&["all"]), &List(&GPU, Allowed)])),
        ("group_add", &List(&TEXT_OR_NUMBER, Refused)),
        ("healthcheck", &HEALTH),
        ("hostname", &Text),
        ("image", &Text),
        ("init", &Switch),
        ("ipc", &Text),
        ("isolation", &Text),
        ("label_file", &ONE_OR_MORE),
        ("labels", &PAIRS),
        ("links", &TEXTS),
        ("logging", &Fields(&[("driver", &Text), ("options", &Named(&Either(&[&Text, &NUMBER, &Null]), Free))], &[])),
        ("mac_address", &Text),
        ("mem_limit", &BYTES),
        ("mem_reservation", &BYTES),
        ("mem_swappiness", &BYTES),
        ("memswap_limit", &BYTES),
        ("models", &Either(&[&DISTINCT, &Named(&Either(&[&Null, &MODEL_USE]), Free)])),
        ("network_mode", &Text),
        ("networks", &Either(&[&DISTINCT, &Named(&Either(&[&Null, &ATTACHMENT]), Names)])),
        ("oom_kill_disable", &Switch),
        ("oom_score_adj", &WHOLE),
        ("pid", &TEXT_OR_NULL),
        ("pids_limit", &LOOSE),
        ("platform", &Text),
        ("ports", &List(&Either(&[&NUMBER, &Text, &PORT]), Allowed)),
        ("post_start", &List(&HOOK, Allowed)),
        ("pre_stop", &List(&HOOK, Allowed)),
        ("privileged", &Switch),
        ("profiles", &TEXTS),
        ("provider", &PROVIDER),
        ("pull_policy", &Part(PULL_POLICIES)),
        ("pull_refresh_after", &Text),
        ("read_only", &Switch),
        ("restart", &Text),
        ("runtime", &Text),
        ("scale", &WHOLE),
        ("secrets", &MOUNTED),
        ("security_opt", &DISTINCT),
        ("shm_size", &BYTES),
        ("stdin_open", &Switch),
        ("stop_grace_period", &Duration),
        ("stop_signal", &Text),
        ("storage_opt", &Named(&Any, Free)),
        ("sysctls", &PAIRS),
        ("tmpfs", &ONE_OR_MORE),
        ("tty", &Switch),
        ("ulimits", &ULIMITS),
        ("use_api_socket", &Bool),
        ("user", &Text),
        ("userns_mode", &Text),
        ("uts", &Text),
        ("volumes", &List(&Either(&[&Text, &MOUNT]), Allowed)),
        ("volumes_from", &DISTINCT),
        ("working_dir", &Text),
    ],
    &[],
);

const PULL_POLICIES: &[&str] =
    &["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly", "every_"];

const BUILD: Shape = Fields(
    &[
        ("context", &Text),
        ("dockerfile", &Text),
        ("dockerfile_inline", &Text),
        ("entitlements", &TEXTS),
        ("args", &PAIRS),
        ("ssh", &PAIRS),
        ("labels", &PAIRS),
        ("cache_from", &TEXTS),
        ("cache_to", &TEXTS),
        ("no_cache", &Switch),
        ("additional_contexts", &PAIRS),
        ("network", &Text),
        ("provenance", &Either(&[&Text, &Bool])),
        ("sbom", &Either(&[&Text, &Bool])),
        ("pull", &Switch),
        ("target", &Text),
        ("shm_size", &BYTES),
        ("extra_hosts", &HOSTS),
        ("isolation", &Text),
        ("privileged", &Switch),
        ("secrets", &MOUNTED),
        ("tags", &TEXTS),
        ("ulimits", &ULIMITS),
        ("platforms", &TEXTS),
    ],
    &[],
);

const LIMITS: Shape = List(&Fields(&[("path", &Text), ("rate", &BYTES)], &[]), Allowed);

const BLKIO: Shape = Fields(
    &[
        ("device_read_bps", &LIMITS),
        ("device_read_iops", &LIMITS),
        ("device_write_bps", &LIMITS),
        ("device_write_iops", &LIMITS),
        ("weight", &WHOLE),
        ("weight_device", &List(&Fields(&[("path", &Text), ("weight", &WHOLE)], &[]), Allowed)),
    ],
    &[],
);

const DEPENDENCY: Shape = Fields(
    &[
        ("restart", &Switch),
        ("required", &Bool),
        ("condition", &Word(&["service_started", "service_healthy", "service_completed_successfully"])),
    ],
    &["condition"],
);

const DEVICE: Shape = Fields(&[("source", &Text), ("target", &Text), ("permissions", &Text)], &["source"]);

const ENV_FILE: Shape = Fields(&[("path", &Text), ("format", &Text), ("required", &Switch)], &["path"]);

const GPU_FIELDS: &[(&str, &Shape)] = &[
    ("capabilities", &DISTINCT),
    ("count", &Either(&[&Text, &WHOLE])),
    ("device_ids", &DISTINCT),
    ("driver", &Text),
    ("options", &PAIRS),
];

/// Its fields have kinds, but others are free.
const GPU: Shape = Open(GPU_FIELDS);

const HEALTH: Shape = Fields(
    &[
        ("disable", &Switch),
        ("interval", &Duration),
        ("retries", &LOOSE),
        ("test", &ONE_OR_MORE),
        ("timeout", &Duration),
        ("start_period", &Duration),
        ("start_interval", &Duration),
    ],
    &[],
);

const MODEL_USE: Shape = Fields(&[("endpoint_var", &Text), ("model_var", &Text)], &[]);

const ATTACHMENT: Shape = Fields(
    &[
        ("aliases", &TEXTS),
        ("interface_name", &Text),
        ("ipv4_address", &Text),
        ("ipv6_address", &Text),
        ("link_local_ips", &TEXTS),
        ("mac_address", &Text),
        ("driver_opts", &OPTIONS),
        ("priority", &NUMBER),
        ("gw_priority", &NUMBER),
    ],
    &[],
);

const PORT: Shape = Fields(
    &[
        ("name", &Text),
        ("mode", &Text),
        ("host_ip", &Text),
        ("target", &WHOLE),
        ("published", &Either(&[&Text, &WHOLE])),
        ("protocol", &Text),
        ("app_protocol", &Text),
    ],
    &["target"],
);

const HOOK: Shape = Fields(
    &[("command", &COMMAND), ("user", &Text), ("privileged", &Switch), ("working_dir", &Text), ("environment", &PAIRS)],
    &["command"],
);

const PROVIDED: Shape = Either(&[&Text, &NUMBER, &Bool]);

const PROVIDER: Shape =
    Fields(&[("type", &Text), ("options", &Named(&Either(&[&PROVIDED, &List(&PROVIDED, Allowed)]), Free))], &["type"]);

const MOUNTED: Shape = List(
    &Either(&[
        &Text,
        &Fields(
            &[("source", &Text), ("target", &Text), ("uid", &Text), ("gid", &Text), ("mode", &TEXT_OR_NUMBER)],
            &[],
        ),
    ]),
    Allowed,
);

const ULIMITS: Shape =
    Named(&Either(&[&WHOLE, &Fields(&[("hard", &WHOLE), ("soft", &WHOLE)], &["soft", "hard"])]), Free);

const MOUNT: Shape = Fields(
    &[
        ("type", &Word(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"])),
        ("source", &Text),
        ("target", &Text),
        ("read_only", &Switch),
        ("consistency", &Text),
        (
            "bind",
            &Fields(
                &[
                    ("propagation", &Text),
                    ("create_host_path", &Switch),
                    ("recursive", &Word(&["enabled", "disabled", "writable", "readonly"])),
                    ("selinux", &Word(&["z", "Z"])),
                ],
                &[],
            ),
        ),
        ("volume", &Fields(&[("labels", &PAIRS), ("nocopy", &Switch), ("subpath", &Text)], &[])),
        ("tmpfs", &Fields(&[("size", &BYTES), ("mode", &TEXT_OR_NUMBER)], &[])),
        ("image", &Fields(&[("subpath", &Text)], &[])),
    ],
    &["type"],
);

const WATCH: Shape = Fields(
    &[
        ("ignore", &ONE_OR_MORE),
        ("include", &ONE_OR_MORE),
        ("path", &Text),
        ("action", &Word(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])),
        ("target", &Text),
        ("exec", &HOOK),
        ("initial_sync", &Bool),
    ],
    &["path", "action"],
);

const ROLLOUT: Shape = Fields(
    &[
        ("parallelism", &WHOLE),
        ("delay", &Duration),
        ("failure_action", &Text),
        ("monitor", &Duration),
        ("max_failure_ratio", &FRACTION),
        ("order", &Word(&["start-first", "stop-first"])),
    ],
    &[],
);

const RESOURCES: Shape = Fields(
    &[
        ("limits", &Fields(&[("cpus", &TEXT_OR_NUMBER), ("memory", &Size), ("pids", &WHOLE)], &[])),
        (
            "reservations",
            &Fields(
                &[
                    ("cpus", &TEXT_OR_NUMBER),
                    ("memory", &Size),
                    (
                        "generic_resources",
                        &List(
                            &Fields(
                                &[(
                                    "discrete_resource_spec",
                                    &Fields(&[("kind", &Text), ("value", &TEXT_OR_NUMBER)], &[]),
                                )],
                                &[],
                            ),
                            Allowed,
                        ),
                    ),
                    ("devices", &List(&Fields(GPU_FIELDS, &["capabilities"]), Allowed)),
                ],
                &[],
            ),
        ),
    ],
    &[],
);

const DEPLOY: Shape = Fields(
    &[
        ("mode", &Text),
        ("endpoint_mode", &Text),
        ("replicas", &WHOLE),
        ("labels", &PAIRS),
        ("rollback_config", &ROLLOUT),
        ("update_config", &ROLLOUT),
        ("resources", &RESOURCES),
        (
            "restart_policy",
            &Fields(
                &[("condition", &Text), ("delay", &Duration), ("max_attempts", &WHOLE), ("window", &Duration)],
                &[],
            ),
        ),
        (
            "placement",
            &Fields(
                &[
                    ("constraints", &TEXTS),
                    ("preferences", &List(&Fields(&[("spread", &Text)], &[]), Allowed)),
                    ("max_replicas_per_node", &WHOLE),
                ],
                &[],
            ),
        ),
    ],
    &[],
);
