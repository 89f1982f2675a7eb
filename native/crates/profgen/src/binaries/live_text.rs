//! Reads the code of a running kernel, which `perf record --kcore` keeps beside its records: `kcore`,
//! `kallsyms` and `modules` in `kcore_dir`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use elf::{Image, ImageKind, KernelCore, LiveText};
use job::{Diagnostic, DiagnosticCode};

use crate::binaries::kernel_module;
use crate::binaries::target::Target;
use crate::request::options::{GenerateOptions, Input};

/// Name of the folder of a recording that has the kernel's memory.
const FOLDER: &str = "kcore_dir";

/// The kernel's memory in one recording.
pub(crate) struct KernelMemory {
    core: KernelCore,
    /// Run-time addresses of the symbols in [`SYMBOLS`], which tell the load address of a kernel.
    symbols: BTreeMap<&'static str, u64>,
    /// Run-time addresses of modules, by name.
    modules: BTreeMap<String, u64>,
    /// Path of the kernel's memory.
    path: PathBuf,
}

/// The symbols that stand at the start of a kernel's code. A hidden symbol has the address 0.
const SYMBOLS: [&str; 2] = ["_text", "_stext"];

impl KernelMemory {
    /// Returns the memory in the first input that has it; `None` if no input has it. Apart from addresses,
    /// boots of one kernel hardly differ.
    pub(crate) fn of(options: &GenerateOptions) -> Option<Self> {
        let Input::PerfData(paths) = &options.input else {
            return None;
        };
        let mut paths = paths.iter().filter(|_| options.policy.decoding.patched_text);
        paths.find_map(|path| Self::open(&path.join(FOLDER)))
    }

    fn open(folder: &Path) -> Option<Self> {
        let lines = |name: &str| {
            let file = std::fs::File::open(folder.join(name)).ok()?;
            Some(BufReader::new(file).lines().map_while(Result::ok))
        };
        let core = KernelCore::open(&folder.join("kcore")).ok()?;
        // A line is "ffffffff81000000 T _text".
        let symbols = lines("kallsyms")?.filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let address = u64::from_str_radix(words.next()?, 16)
                .ok()
                .filter(|address| *address != 0)?;
            let name = words.nth(1)?;
            Some((SYMBOLS.into_iter().find(|symbol| *symbol == name)?, address))
        });
        let symbols = symbols.take(SYMBOLS.len()).collect();
        // A line is "ext4 983040 1 - Live 0xffffffffc05f2000".
        let modules = lines("modules").into_iter().flatten().filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let name = words.next()?.to_owned();
            let address = words.nth(4)?.strip_prefix("0x")?;
            Some((
                name,
                u64::from_str_radix(address, 16).ok().filter(|address| *address != 0)?,
            ))
        });
        Some(Self {
            modules: modules.collect(),
            core,
            symbols,
            path: folder.to_owned(),
        })
    }

    /// Returns true if a recording has this folder.
    pub(crate) fn is_in(recording: &Path) -> bool {
        recording.join(FOLDER).is_dir()
    }

    /// Returns a warning if `target` is a kernel or a module whose code this memory does not have.
    pub(crate) fn diagnostic(&self, target: &Target<'_>) -> Option<Diagnostic> {
        let concerned = matches!(target.image.kind(), ImageKind::Kernel | ImageKind::Module);
        (concerned && target.code.live_sections() == 0).then(|| {
            let (folder, name) = (self.path.display(), target.name());
            let text = format!("{folder} does not have the code of {name}, which is read from its file only");
            Diagnostic::warning(DiagnosticCode::KcoreUnused, text)
        })
    }

    /// Returns the memory at the load address of a kernel or module. [`LiveText`] checks whether the memory
    /// holds its code.
    pub(crate) fn text_of(&self, image: &Image) -> Option<LiveText<'_>> {
        let (linked, loaded) = match image.kind() {
            ImageKind::Kernel => self
                .symbols
                .iter()
                .find_map(|(symbol, address)| Some((image.symbol_named(symbol.as_bytes())?, *address)))?,
            ImageKind::Module => {
                let mut modules = self.modules.iter();
                let (_, address) = modules.find(|(name, _)| kernel_module::is_named(name, image))?;
                (image.text_segment().svma, *address)
            }
            ImageKind::Executable | ImageKind::SharedObject => return None,
        };
        Some(LiveText {
            core: &self.core,
            delta: linked.0.wrapping_sub(loaded),
        })
    }
}
