//! The userspace OOM killers of this machine: which are installed or running, and their options.

use serde::{Deserialize, Serialize};

use crate::model::daemon::options::{KillerOptions, KillerPresence, OptionText, ProcessFiles};
use crate::model::{
    EarlyoomOptions, KubeletOptions, NohangOptions, OomdOptions, SystemdOomdOptions, Text,
};

/// The userspace OOM killers that doomtop can configure itself for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstalledKillers {
    /// earlyoom.
    pub earlyoom: KillerOptions<EarlyoomOptions>,
    /// nohang with `nohang.conf`.
    pub nohang: KillerOptions<NohangOptions>,
    /// nohang with `nohang-desktop.conf`.
    pub nohang_desktop: KillerOptions<NohangOptions>,
    /// systemd-oomd.
    pub systemd_oomd: KillerOptions<SystemdOomdOptions>,
    /// oomd.
    pub oomd: KillerOptions<OomdOptions>,
    /// The kubelet.
    pub kubelet: KillerOptions<KubeletOptions>,
}

impl Default for InstalledKillers {
    fn default() -> Self {
        Self {
            earlyoom: KillerOptions::default(),
            nohang: KillerOptions::default(),
            nohang_desktop: KillerOptions {
                options: NohangOptions::desktop(),
                ..KillerOptions::default()
            },
            systemd_oomd: KillerOptions::default(),
            oomd: KillerOptions::default(),
            kubelet: KillerOptions::default(),
        }
    }
}

impl InstalledKillers {
    /// The files of each process that the rules of installed killers test.
    #[must_use]
    pub fn needed_files(&self) -> ProcessFiles {
        let Self { earlyoom, nohang, nohang_desktop, systemd_oomd, oomd, kubelet } = self;
        earlyoom
            .process_files()
            .or(nohang.process_files())
            .or(nohang_desktop.process_files())
            .or(systemd_oomd.process_files())
            .or(oomd.process_files())
            .or(kubelet.process_files())
    }

    /// All texts that come from this machine.
    pub fn texts(&mut self) -> Vec<(OptionText, &mut Text)> {
        let Self { earlyoom, nohang, nohang_desktop, systemd_oomd, oomd, kubelet } = self;
        let mut texts = earlyoom.texts();
        texts.append(&mut nohang.texts());
        texts.append(&mut nohang_desktop.texts());
        texts.append(&mut systemd_oomd.texts());
        texts.append(&mut oomd.texts());
        texts.append(&mut kubelet.texts());
        texts
    }

    /// Whether one of those that write their kills to the journal is installed or running.
    #[must_use]
    pub fn journals_kills(&self) -> bool {
        let Self { earlyoom, nohang, nohang_desktop, systemd_oomd, oomd, kubelet: _ } = self;
        let found =
            [earlyoom.found, nohang.found, nohang_desktop.found, systemd_oomd.found, oomd.found];
        found.into_iter().any(|found| found != KillerPresence::Absent)
    }

    /// Whether no killer was found and no option was read.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
