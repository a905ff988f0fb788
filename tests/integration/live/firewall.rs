//! firewalld's files, and what the user does with firewalls while everything runs.

use std::fmt::Write;

use super::dice::Dice;
use super::draft::Draft;

const ZONES: [&str; 9] = ["public", "drop", "block", "trusted", "external", "internal", "dmz", "home", "work"];

/// Zones, policies and the daemon's own settings.
pub(super) fn files(draft: &mut Draft, dice: &mut Dice) {
    let (backend, default) = (dice.pick(&["nftables", "iptables"]), dice.pick(&ZONES));
    let more = dice.pick(&[
        "",
        "",
        "",
        "",
        "StrictForwardPorts=yes\n",
        "StrictForwardPorts=yes\n",
        "LogDenied=all\n",
        "IndividualCalls=yes\n",
        "NftablesTableOwner=no\n",
    ]);
    let conf = format!("DefaultZone={default}\nFirewallBackend={backend}\n{more}");
    draft.files.insert("etc/firewalld/firewalld.conf".to_owned(), conf);
    if !dice.once_in(3) {
        zone(draft, dice, default, "");
    }
    let bound = [
        "",
        "  <interface name=\"enp0s9\"/>\n",
        "  <source address=\"192.168.56.20\"/>\n",
        "  <source address=\"192.168.56.0/24\"/>\n",
        "  <source address=\"172.17.0.0/16\"/>\n",
        "  <source address=\"192.168.57.20\"/>\n  <source address=\"10.0.2.2\"/>\n",
        "  <interface name=\"enp0s8\"/>\n  <source address=\"192.168.57.0/24\"/>\n",
        "  <interface name=\"enp0s3\"/>\n",
        "  <interface name=\"docker0\"/>\n",
    ];
    let binding = dice.pick(&bound);
    let other = dice.pick(&ZONES);
    if !binding.is_empty() && other != default {
        zone(draft, dice, other, binding);
    }
    if dice.once_in(10) {
        // Where this file is, dockerd finds its zone and does not make one.
        zone(draft, dice, "docker", "");
    }
    if dice.once_in(3) {
        policy(draft, dice, "mine");
    }
    if dice.once_in(6) {
        policy(draft, dice, "second");
    }
}

const ZONE_ELEMENTS: [&str; 29] = [
    "<service name=\"ssh\"/>",
    "<port port=\"3000-3100\" protocol=\"tcp\"/>",
    "<port port=\"9001\" protocol=\"udp\"/>",
    "<masquerade/>",
    "<forward/>",
    "<forward-port port=\"8080\" protocol=\"tcp\" to-port=\"3005\"/>",
    "<forward-port port=\"8081\" protocol=\"tcp\" to-port=\"9000\" to-addr=\"192.168.57.20\"/>",
    "<rule family=\"ipv4\"><source address=\"192.168.56.0/24\"/><port port=\"22\" protocol=\"tcp\"/><drop/></rule>",
    "<rule priority=\"-5\"><port port=\"3005\" protocol=\"tcp\"/><accept/></rule>",
    "<icmp-block name=\"echo-request\"/>",
    "<icmp-block-inversion/>",
    "<protocol value=\"icmp\"/>",
    "<rule family=\"ipv4\"><source invert=\"true\" address=\"192.168.56.20\"/><reject/></rule>",
    "<rule family=\"ipv4\"><source address=\"192.168.56.20\"/><accept/></rule>",
    "<rule family=\"ipv4\"><destination address=\"192.168.56.10\"/><port port=\"22\" protocol=\"tcp\"/><reject type=\"icmp-admin-prohibited\"/></rule>",
    "<rule family=\"ipv4\"><source address=\"192.168.56.0/24\"/><masquerade/></rule>",
    "<rule family=\"ipv4\"><source address=\"192.168.56.20\"/><forward-port port=\"8080\" protocol=\"tcp\" to-port=\"3000\" to-addr=\"172.17.0.2\"/></rule>",
    "<rule priority=\"10\"><protocol value=\"tcp\"/><drop/></rule>",
    "<rule><icmp-block name=\"echo-request\"/></rule>",
    "<source-port port=\"30000-65535\" protocol=\"udp\"/>",
    "<service name=\"https\"/>",
    "<forward-port port=\"3005\" protocol=\"tcp\" to-port=\"22\"/>",
    "<forward-port port=\"9001\" protocol=\"udp\" to-port=\"9000\" to-addr=\"192.168.57.20\"/>",
    "<rule family=\"ipv4\"><log prefix=\"x\"/><port port=\"3005\" protocol=\"tcp\"/><reject type=\"tcp-reset\"/></rule>",
    "<rule family=\"ipv4\"><source address=\"192.168.0.0/16\"/><service name=\"ssh\"/><accept/></rule>",
    "<rule priority=\"-1\" family=\"ipv4\"><source address=\"172.16.0.0/12\"/><drop/></rule>",
    "<rule family=\"ipv4\"><destination invert=\"true\" address=\"192.168.56.10\"/><accept/></rule>",
    "<rule priority=\"-3\" family=\"ipv4\"><forward-port port=\"8081\" protocol=\"tcp\" to-port=\"3005\"/></rule>",
    "<rule family=\"ipv4\"><destination address=\"192.168.57.0/24\"/><masquerade/></rule>",
];

fn zone(draft: &mut Draft, dice: &mut Dice, name: &str, bindings: &str) {
    let target = match name {
        "drop" => " target=\"DROP\"",
        "block" => " target=\"%%REJECT%%\"",
        "trusted" => " target=\"ACCEPT\"",
        _ => dice.pick(&["", "", "", " target=\"ACCEPT\"", " target=\"DROP\"", " target=\"%%REJECT%%\""]),
    };
    let mut text = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<zone{target}>\n{bindings}");
    for element in ZONE_ELEMENTS {
        if dice.once_in(5) {
            writeln!(text, "  {element}").unwrap();
        }
    }
    text.push_str("</zone>\n");
    draft.files.insert(format!("etc/firewalld/zones/{name}.xml"), text);
}

fn policy(draft: &mut Draft, dice: &mut Dice, name: &str) {
    let (ingress, egress) =
        (dice.pick(&["ANY", "HOST", "public", "trusted"]), dice.pick(&["ANY", "HOST", "public", "internal"]));
    // firewalld refuses a policy from the machine to itself.
    let egress = if ingress == "HOST" && egress == "HOST" { "ANY" } else { egress };
    let target = dice.pick(&["CONTINUE", "ACCEPT", "DROP", "REJECT"]);
    let priority = dice.pick(&["-1", "-100", "5"]);
    let content = dice.pick(&[
        "",
        "  <port port=\"3000\" protocol=\"tcp\"/>\n",
        "  <rule><port port=\"9000\" protocol=\"tcp\"/><reject/></rule>\n",
        "  <rule family=\"ipv4\"><source address=\"172.17.0.0/16\"/><drop/></rule>\n",
        "  <rule family=\"ipv4\"><destination address=\"192.168.57.0/24\"/><accept/></rule>\n",
        "  <rule priority=\"-2\"><port port=\"3005\" protocol=\"tcp\"/><drop/></rule>\n  <service name=\"ssh\"/>\n",
        "  <icmp-block name=\"echo-request\"/>\n",
        "  <protocol value=\"icmp\"/>\n  <port port=\"9000-9009\" protocol=\"tcp\"/>\n",
    ]);
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<policy target=\"{target}\" priority=\"{priority}\">\n{content}  \
         <ingress-zone name=\"{ingress}\"/>\n  <egress-zone name=\"{egress}\"/>\n</policy>\n"
    );
    draft.files.insert(format!("etc/firewalld/policies/{name}.xml"), text);
}

/// A change to firewalld.
pub(super) fn change(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "firewall-cmd --reload\n",
        "firewall-cmd --complete-reload\n",
        "firewall-cmd --zone=public --add-port=3000/tcp\n",
        "firewall-cmd --permanent --add-port=3100/tcp\n",
        "firewall-cmd --permanent --add-port=3005/tcp\nfirewall-cmd --reload\n",
        "firewall-cmd --add-rich-rule='rule family=ipv4 source address=192.168.56.20 reject'\n",
        "firewall-cmd --add-forward-port=port=8080:proto=tcp:toport=22\n",
        "firewall-cmd --add-forward-port=port=8081:proto=tcp:toport=9000:toaddr=192.168.57.20\n",
        "firewall-cmd --zone=trusted --change-interface=enp0s9\n",
        "firewall-cmd --zone=drop --add-source=192.168.56.20\n",
        "firewall-cmd --add-masquerade\n",
        "firewall-cmd --add-icmp-block=echo-request\n",
        "firewall-cmd --set-default-zone=internal\n",
        "firewall-cmd --add-service=http\nfirewall-cmd --runtime-to-permanent\nfirewall-cmd --reload\n",
        "systemctl restart firewalld\n",
        "systemctl stop firewalld\nsystemctl start firewalld\n",
        "systemctl stop firewalld\n",
        "firewall-cmd --zone=public --change-interface=docker0\n",
        "firewall-cmd --permanent --zone=trusted --add-source=172.17.0.0/16\nfirewall-cmd --reload\n",
        "firewall-cmd --permanent --new-policy=dock\n\
         firewall-cmd --permanent --policy=dock --add-ingress-zone=docker\n\
         firewall-cmd --permanent --policy=dock --add-egress-zone=HOST\n\
         firewall-cmd --permanent --policy=dock --set-target=DROP\nfirewall-cmd --reload\n",
        "firewall-cmd --permanent --new-policy=out\n\
         firewall-cmd --permanent --policy=out --add-ingress-zone=docker\n\
         firewall-cmd --permanent --policy=out --add-egress-zone=ANY\n\
         firewall-cmd --permanent --policy=out --set-target=REJECT\nfirewall-cmd --reload\n",
        "firewall-cmd --permanent --new-policy=in\n\
         firewall-cmd --permanent --policy=in --add-ingress-zone=ANY\n\
         firewall-cmd --permanent --policy=in --add-egress-zone=docker\n\
         firewall-cmd --permanent --policy=in --add-rich-rule='rule port port=3000 protocol=tcp reject'\n\
         firewall-cmd --reload\n",
        "firewall-cmd --permanent --zone=docker --set-target=default\nfirewall-cmd --reload\n",
        "firewall-cmd --permanent --zone=docker --add-rich-rule='rule family=ipv4 destination address=192.168.57.0/24 drop'\n\
         firewall-cmd --reload\n",
        "firewall-cmd --permanent --new-zone=mine\nfirewall-cmd --permanent --zone=mine --add-source=192.168.56.0/24\n\
         firewall-cmd --permanent --zone=mine --add-service=ssh\nfirewall-cmd --reload\n",
        "firewall-cmd --set-default-zone=drop\n",
        "firewall-cmd --zone=trusted --add-interface=enp0s8\n",
        "firewall-cmd --zone=internal --change-source=192.168.56.0/24\n",
        "firewall-cmd --remove-service=ssh\nfirewall-cmd --add-service=ssh\n",
        "firewall-cmd --remove-service=ssh\n",
        "firewall-cmd --add-port=3000-3100/tcp --add-port=3000/udp\nfirewall-cmd --remove-port=3000-3100/tcp\n",
        "firewall-cmd --add-protocol=icmp\nfirewall-cmd --add-icmp-block-inversion\n",
        "firewall-cmd --add-rich-rule='rule family=ipv4 forward-port port=8080 protocol=tcp to-port=9000 to-addr=192.168.57.20'\n",
        "firewall-cmd --add-rich-rule='rule priority=-10 family=ipv4 source address=192.168.56.0/24 port port=3000 protocol=tcp reject'\n",
        "firewall-cmd --zone=trusted --add-source=172.16.0.0/12\n",
        "firewall-cmd --runtime-to-permanent\nfirewall-cmd --complete-reload\n",
    ])
}

/// A rule of the user's own.
pub(super) fn rule(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "iptables -I DOCKER-USER -p tcp --dport 3000 -j DROP\n",
        "iptables -I DOCKER-USER -s 192.168.56.20 -j REJECT\n",
        "iptables -I DOCKER-USER -p tcp -m conntrack --ctorigdstport 3000 -j DROP\n",
        "iptables -A DOCKER-USER -i enp0s9 -j DROP\n",
        "iptables -I DOCKER-USER -i docker0 ! -o docker0 -j REJECT --reject-with icmp-port-unreachable\n",
        "iptables -I INPUT -p tcp --dport 22 -j REJECT\n",
        "iptables -A INPUT -i enp0s8 -p icmp -j DROP\n",
        "iptables -I INPUT -s 172.16.0.0/12 -j DROP\n",
        "iptables -I FORWARD -i enp0s8 -o docker0 -j DROP\n",
        "iptables -I FORWARD -o enp0s9 -j ACCEPT\n",
        "iptables -P FORWARD ACCEPT\n",
        "iptables -P FORWARD DROP\n",
        "iptables -A INPUT -i lo -j ACCEPT\niptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n\
         iptables -A INPUT -p tcp --dport 22 -j ACCEPT\niptables -P INPUT DROP\n",
        "iptables -t nat -A POSTROUTING -o enp0s9 -j MASQUERADE\n",
        "iptables -t nat -I PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 22\n",
        "iptables -t nat -A PREROUTING -p tcp --dport 8081 -j DNAT --to-destination 192.168.57.20:9000\n",
        "iptables -t nat -A OUTPUT -p tcp -d 192.168.56.10 --dport 8080 -j DNAT --to-destination 127.0.0.1:3005\n",
        "iptables -I OUTPUT -d 192.168.57.20 -j REJECT\n",
        "iptables -F DOCKER-USER\n",
        "iptables -I DOCKER-USER -i enp0s8 -p tcp -m multiport --dports 3000,3010 -j DROP\n",
        "iptables -I DOCKER-USER -m conntrack --ctstate NEW -i enp0s9 -j REJECT --reject-with tcp-reset\n",
        "iptables -I DOCKER-USER -i enp0s8 ! -s 192.168.56.20 -j DROP\n",
        "iptables -I DOCKER-USER -m conntrack --ctdir ORIGINAL --ctorigdst 192.168.57.10 -j DROP\n",
        "iptables -I FORWARD -p icmp -j REJECT --reject-with icmp-host-prohibited\n",
        "iptables -A FORWARD -i enp0s8 -o enp0s9 -j ACCEPT\niptables -A FORWARD -o enp0s8 -j ACCEPT\n",
        "iptables -t raw -I PREROUTING -i enp0s8 -d 172.16.0.0/12 -j DROP\n",
        "iptables -t mangle -A PREROUTING -p tcp --dport 3005 -j MARK --set-mark 7\niptables -I INPUT -m mark --mark 7 -j DROP\n",
        "iptables -t nat -I POSTROUTING -s 172.17.0.0/16 -j ACCEPT\n",
        "iptables -t nat -I POSTROUTING -s 172.17.0.0/16 -d 192.168.56.0/24 -j SNAT --to-source 192.168.56.10\n",
        "iptables -t nat -F DOCKER\n",
        "iptables -t nat -F\niptables -t nat -X\n",
        "iptables -N mine\niptables -A mine -p tcp --dport 22 -j RETURN\niptables -A mine -p tcp -j REJECT\niptables -I INPUT -i enp0s9 -j mine\n",
        "iptables -F FORWARD\n",
    ])
}
