//! Options of `VBoxManage` 7.2 (`g_aModifyVMOptions` and its neighbours), taken from a command line one after another.
//!
//! Options have a new spelling with hyphens, `--nat-pf1`, and the old one without them, `--natpf1`. Many end with the
//! number of an adapter.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::shell::word::Word;
use crate::source::Span;

use crate::frontend::virtualbox::text::numbered;
use crate::language::text;

/// Options of `modifyvm` that decide what an adapter is attached to.
pub(super) const NETWORK: &str = "nic cable-connected bridge-adapter host-only-adapter host-only-net intnet nat-network \
    nic-generic-drv cloud-network nat-net nat-bind-ip nat-pf nat-localhostreachable mac-address name os-type nic-property";

/// Options of `modifyvm` that change no packet that this tool follows.
pub(super) const OTHER: &str = "groups description icon-file memory page-fusion vram firmware acpi ioapic \
    cpuid-portability-level paravirt-provider paravirt-debug cpus cpu-hotplug cpu-profile plug-cpu unplug-cpu \
    cpu-execution-cap rtc-use-utc graphicscontroller monitor-count accelerate-3d accelerate-2d-video firmware-logo-fade-in \
    firmware-logo-fade-out firmware-logo-image-path firmware-logo-display-time firmware-boot-menu \
    firmware-system-time-offset firmware-apic firmware-pxe-debug bios-logo-fade-in bios-logo-fade-out \
    bios-logo-display-time bios-logo-image-path bios-boot-menu bios-system-time-offset bios-apic bios-pxe-debug \
    system-uuid-le bios-auto-serial-num-gen boot hda hdb hdd idecontroller sata-port-count sata-port sata scsi-port scsi-type \
    scsi dvd-pass-through dvd floppy nic-trace-file nic-trace nic-type nic-speed nic-boot-prio nic-promisc \
    nic-bandwidth-group nat-settings nat-alias-mode nat-tftp-prefix nat-tftp-file nat-tftp-server nat-dns-pass-domain \
    nat-dns-proxy nat-dns-host-resolver nat-forward-broadcast nat-enable-tftp mouse keyboard uart-mode uart-type uart \
    lpt-mode lpt guest-memory-balloon audio-controller audio-codec audio audio-driver audio-enabled audio-in audio-out \
    clipboard-mode clipboard clipboard-file-transfers drag-and-drop vrdp-port vrdp-address vrdp-auth-type vrdp-multi-con \
    vrdp-reuse-con vrdp-video-channel vrdp-video-channel-quality vrdp vrde-property vrde-port vrde-address vrde-auth-type \
    vrde-auth-library vrde-multi-con vrde-reuse-con vrde-video-channel vrde-video-channel-quality vrde-extpack vrde \
    usb-rename usb-xhci usb-ehci usb-ohci usb snapshot-folder teleporter teleporter-enabled teleporter-port \
    teleporter-address teleporter-password teleporter-password-file tracing-enabled tracing-config \
    tracing-allow-vm-access hardware-uuid iocache iocache-size chipset iommu tpm-type tpm-location recording \
    recording-screens recording-file recording-max-time recording-max-size recording-opts recording-options \
    recording-video-res recording-video-resolution recording-video-rate recording-video-fps autostart-enabled \
    autostart-delay autostop-type pci-attach pci-detach usb-card-reader default-frontend vm-process-priority \
    vm-execution-engine testing-enabled testing-mmio testing-cfg-dword guest-debug-provider guest-debug-io-provider \
    guest-debug-address guest-debug-port x86-apic apic x86-cpuid-remove cpuid-remove x86-cpuid-remove-all cpuid-remove-all \
    x86-hpet hpet x86-hwvirtex hwvirtex x86-ibpb-on-vm-entry ibpb-on-vm-entry x86-ibpb-on-vm-exit ibpb-on-vm-exit \
    x86-l1d-flush-on-sched l1d-flush-on-sched x86-l1d-flush-on-vm-entry l1d-flush-on-vm-entry x86-large-pages large-pages \
    x86-long-mode long-mode x86-mds-clear-on-sched mds-clear-on-sched x86-mds-clear-on-vm-entry mds-clear-on-vm-entry \
    x86-nested-hw-virt nested-hw-virt x86-nested-paging nested-paging x86-pae pae x86-cpuid-set cpuid-set x86-spec-ctrl \
    spec-ctrl x86-triple-fault-reset triple-fault-reset virt-vmsave-vmload x86-virt-vmsave-vmload x86-vtx-ux vtx-ux \
    x86-vtx-vpid vtx-vpid x86-x2apic x2apic arm-gic-its";

/// An option as it was used.
pub(super) struct Given<'a> {
    /// Its new spelling without the hyphens in front.
    pub(super) name: &'static str,
    /// The adapter that it is about, from 1.
    pub(super) number: Option<u8>,
    /// Values that follow it.
    pub(super) values: Vec<Word>,
    /// The option as it was written.
    pub(super) word: &'a Word,
}

impl Given<'_> {
    /// Its first value.
    pub(super) fn value(&self) -> Option<&Word> {
        self.values.first()
    }

    /// The option with its values.
    pub(super) fn span(&self) -> Span {
        self.values.last().map_or(self.word.span, |last| self.word.span.to(last.span))
    }
}

/// Takes options apart. Words that belong to no option come back as arguments.
pub(super) fn scan<'a>(
    command: &str,
    words: &'a [Word],
    known: &[&'static str],
) -> Result<(Vec<Given<'a>>, Vec<&'a Word>), Box<Diagnostic>> {
    let (mut options, mut arguments): (Vec<Given<'a>>, Vec<&'a Word>) = (Vec::new(), Vec::new());
    for word in words {
        match word.text.strip_prefix("--") {
            Some(_) => options.push(option(command, word, known)?),
            None => match options.last_mut() {
                Some(option) => option.values.push(word.clone()),
                None => arguments.push(word),
            },
        }
    }
    Ok((options, arguments))
}

fn option<'a>(command: &str, word: &'a Word, known: &[&'static str]) -> Result<Given<'a>, Box<Diagnostic>> {
    // A value may be attached with `=` or `:`.
    let end = word.text.find(['=', ':']).unwrap_or(word.text.len());
    let written = word.text.get(2..end).unwrap_or_default();
    let values: Vec<Word> = (end < word.text.len()).then(|| word.slice(end + 1..word.text.len())).into_iter().collect();
    let all = || known.iter().flat_map(|list| list.split_whitespace());
    let find = |name: &str| all().find(|n| *n == name || n.replace('-', "") == name);
    if let Some(name) = find(written) {
        return Ok(Given { name, number: None, values, word });
    }
    if let Some((bare, number)) = numbered(written)
        && let Some(name) = find(bare.trim_end_matches('-'))
    {
        return Ok(Given { name, number: Some(number), values, word });
    }
    let bare = written.trim_end_matches(|c: char| c.is_ascii_digit());
    Err(Box::new(unknown(command, word, bare, all())))
}

fn unknown<'n>(command: &str, word: &Word, bare: &str, known: impl Iterator<Item = &'n str>) -> Diagnostic {
    let message = text!(
        "`VBoxManage {command}` has no option `{option}`",
        "`VBoxManage {command}`에 `{option}` 옵션은 없습니다",
        option = &word.text
    );
    let diagnostic = Diagnostic::new(Code::VboxUnknownFlag, message)
        .label(word.span, text!("VBoxManage stops here", "VBoxManage가 여기서 멈춤"));
    match did_you_mean(bare, known) {
        Some(near) => diagnostic.help(text!("did you mean `--{near}`?", "혹시 `--{near}`?")),
        None => diagnostic.help(text!("nothing of this command is used", "이 명령의 아무것도 쓰지 않습니다")),
    }
}
