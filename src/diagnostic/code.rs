//! The codes of everything the tool says, in one table. A code is an API: it is never renamed, and each has a page
//! under `specs/codes/` that `canreach explain CODE` prints.

use std::fmt;

use crate::language::Language;

use super::Severity;

macro_rules! codes {
    ($($variant:ident $area:literal $name:literal $severity:ident;)*) => {
        /// A stable code, written `canreach::area::name`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = concat!("`canreach::", $area, "::", $name, "`")] $variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as printed.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => concat!("canreach::", $area, "::", $name),)* }
            }

            /// How bad it is unless the place that reports it knows better.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// The page that explains it, in Markdown.
            pub fn page(self, language: Language) -> &'static str {
                match language {
                    Language::English => match self {
                        $(Self::$variant => include_str!(concat!("../../specs/codes/", $area, "/", $name, ".md")),)*
                    },
                    Language::Korean => match self {
                        $(Self::$variant => include_str!(concat!("../../specs/codes/", $area, "/", $name, ".ko.md")),)*
                    },
                }
            }
        }
    };
}

codes! {
    // What is wrong with an input, by front-end.
    InputUnreadable "input" "unreadable" Error;
    InputBinary "input" "binary" Error;
    InputEmpty "input" "empty" Warning;
    InputUnused "input" "unused" Warning;
    YamlSyntax "yaml" "syntax" Error;
    YamlDuplicateKey "yaml" "duplicate_key" Error;
    YamlTooLarge "yaml" "too_large" Error;
    YamlType "yaml" "wrong_type" Error;
    YamlSexagesimal "yaml" "sexagesimal" Advice;
    XmlSyntax "xml" "syntax" Error;
    ShellSyntax "shell" "syntax" Error;
    ShellUnmodeled "shell" "unmodeled" Warning;
    RubySyntax "ruby" "syntax" Error;
    VagrantBadValue "vagrant" "bad_value" Error;
    VagrantNotFollowed "vagrant" "not_followed" Warning;
    VagrantPortTaken "vagrant" "port_taken" Error;
    UnknownKey "input" "unknown_key" Warning;
    BadPort "net" "bad_port" Error;
    BadAddress "net" "bad_address" Error;
    SubnetOverlap "net" "subnet_overlap" Error;
    Unmodeled "input" "unmodeled" Warning;
    ComposeUnknownNetwork "compose" "unknown_network" Error;
    ComposeUnknownService "compose" "unknown_service" Error;
    ComposeBadService "compose" "bad_service" Error;
    ComposeUnsetVariable "compose" "unset_variable" Warning;
    ComposeBadTemplate "compose" "bad_template" Error;
    ComposeBadProject "compose" "bad_project" Error;
    ComposeMissingFile "compose" "missing_file" Error;
    DockerUnknownNetwork "docker" "unknown_network" Error;
    DockerUnknownFlag "docker" "unknown_flag" Warning;
    DockerBadFlag "docker" "bad_flag" Error;
    DockerNameTaken "docker" "name_taken" Error;
    DockerPortTaken "docker" "port_taken" Error;
    DockerChainsGone "docker" "chains_gone" Error;
    DockerUnknownContainer "docker" "unknown_container" Error;
    DockerPublishIgnored "docker" "publish_ignored" Warning;
    DockerDrift "docker" "drift" Warning;
    DockerNotRunning "docker" "not_running" Warning;
    FirewalldUnknownZone "firewalld" "unknown_zone" Error;
    FirewalldUnknownService "firewalld" "unknown_service" Error;
    FirewalldBadRule "firewalld" "bad_rule" Error;
    FirewalldZoneConflict "firewalld" "zone_conflict" Error;
    FirewalldFallsBack "firewalld" "falls_back" Error;
    FirewalldListingDiffers "firewalld" "listing_differs" Warning;
    UfwBadRule "ufw" "bad_rule" Error;
    IptablesBadRule "iptables" "bad_rule" Error;
    IptablesUnknownInterface "iptables" "unknown_interface" Warning;
    IptablesUnknownChain "iptables" "unknown_chain" Error;
    NftSyntax "nft" "syntax" Error;
    FirewalldNotReloaded "firewalld" "not_reloaded" Warning;
    VboxBadValue "vbox" "bad_value" Error;
    VboxDuplicate "vbox" "duplicate" Error;
    VboxUnknownFlag "vbox" "unknown_flag" Warning;
    VboxUnknownName "vbox" "unknown_name" Error;
    VboxUnusedForward "vbox" "unused_forward" Advice;
    VboxHostOnlyRange "vbox" "host_only_range" Error;
    VboxHostOnlyGone "vbox" "host_only_gone" Error;
    VboxWireless "vbox" "wireless_bridge" Advice;
    VboxPortTaken "vbox" "port_taken" Error;
    VboxPrivilegedPort "vbox" "privileged_port" Warning;
    VboxReservedPort "vbox" "reserved_port" Warning;
    LabUnknownName "lab" "unknown_name" Error;
    LabMissingFile "lab" "missing_file" Error;
    LabAmbiguous "lab" "ambiguous" Error;
    LabBadValue "lab" "bad_value" Error;
    SentenceSyntax "sentence" "syntax" Error;
    SentenceUnknownName "sentence" "unknown_name" Error;
    SentenceVacuous "sentence" "vacuous" Warning;

    // What looks wrong although nobody asked.
    FilterShadowedRule "filter" "shadowed_rule" Warning;
    FilterRedundantRule "filter" "redundant_rule" Advice;
    FilterNeverMatches "filter" "never_matches" Warning;
    DockerBypassesFirewall "docker" "bypasses_firewall" Warning;
    DockerDatabasePublished "docker" "database_published" Warning;
    DockerLocalhost "docker" "localhost_inside" Warning;
    DockerDialsPublished "docker" "dials_published_port" Warning;
    ListenPortTaken "listen" "port_taken" Warning;
    NatForwardTaken "nat" "forward_port_taken" Warning;
    ReservedPort "net" "reserved_port" Warning;
    ExcludedPort "net" "excluded_port" Error;
    FirewalldUnusedZone "firewalld" "unused_zone" Warning;
    FirewalldWrongZone "firewalld" "wrong_zone" Warning;
    FirewalldForwardUnanswered "firewalld" "forward_unanswered" Warning;
    AllowUnused "input" "unused_allow" Warning;
    AllowBad "input" "bad_allow" Warning;

    // What stops a packet.
    NatNoInbound "nat" "no_inbound" Error;
    NatForwardWrongPort "nat" "forward_wrong_port" Error;
    NatForwardWrongAddress "nat" "forward_wrong_address" Error;
    NatHostLoopback "nat" "host_loopback" Error;
    VboxCableOut "vbox" "cable_out" Error;
    VboxOtherNetwork "vbox" "other_network" Error;
    DockerNotPublished "docker" "not_published" Error;
    DockerWrongPort "docker" "wrong_port" Error;
    DockerPublishedLoopback "docker" "published_on_loopback" Error;
    DockerIsolation "docker" "isolation" Error;
    DockerNoNetwork "docker" "no_network" Error;
    DockerRulesOff "docker" "rules_off" Error;
    DockerNameUnknown "docker" "name_not_resolved" Error;
    ListenNothing "listen" "nothing_listens" Error;
    ListenLoopback "listen" "loopback_only" Error;
    FirewallFiltered "firewalld" "filtered" Error;
    RouteNone "route" "no_route" Error;
    RouteNoNeighbour "route" "no_neighbour" Error;
    RouteReplyLost "route" "reply_lost" Error;
    RouteForwardingOff "route" "forwarding_off" Error;
    RouteWrongInterface "route" "wrong_interface" Error;
    Dropped "filter" "dropped" Error;
    Exposed "sentence" "exposed" Error;
    Undecided "sentence" "undecided" Warning;
    Violated "sentence" "violated" Error;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
