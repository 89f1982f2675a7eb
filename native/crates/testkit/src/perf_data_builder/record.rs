//! Records of a recording.

use super::encode::Encoder;
use super::event::{EventSpec, field};

const KERNEL: u16 = 1;
const USER: u16 = 2;
const PROT_READ: u32 = 1;
const PROT_EXEC: u32 = 4;

/// A mapping.
#[derive(Debug, Clone)]
pub struct MapSpec {
    /// Id of the process.
    pub pid: i32,
    /// First address.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
    /// Offset in the file, in bytes.
    pub pgoff: u64,
    /// Path of the file.
    pub name: String,
    /// True for code, false for data.
    pub executable: bool,
    /// Time of the mapping; 0 for mappings that perf synthesizes.
    pub time: u64,
    /// The cpumode in the misc field: 1 kernel, 2 user, 4 and 5 guest.
    pub cpumode: u16,
    /// Build id of the file.
    pub build_id: Option<Vec<u8>>,
}

impl MapSpec {
    /// Makes a mapping of executable code of a process.
    #[must_use]
    pub fn code(pid: i32, start: u64, len: u64, pgoff: u64, name: &str) -> Self {
        let name = name.to_owned();
        Self {
            pid,
            start,
            len,
            pgoff,
            name,
            executable: true,
            time: 0,
            cpumode: USER,
            build_id: None,
        }
    }

    /// Makes the mapping of the kernel image, whose `symbol` was at `address`.
    #[must_use]
    pub fn kernel(start: u64, len: u64, symbol: &str, address: u64) -> Self {
        let map = Self::code(-1, start, len, address, &format!("[kernel.kallsyms]{symbol}"));
        Self { cpumode: KERNEL, ..map }
    }

    /// Makes the mapping of a kernel module.
    #[must_use]
    pub fn module(start: u64, len: u64, name: &str) -> Self {
        Self {
            cpumode: KERNEL,
            ..Self::code(-1, start, len, 0, name)
        }
    }

    /// Sets the time.
    #[must_use]
    pub fn at(mut self, time: u64) -> Self {
        self.time = time;
        self
    }

    /// Makes the mapping one of data.
    #[must_use]
    pub fn data(mut self) -> Self {
        self.executable = false;
        self
    }

    /// Sets the build id.
    #[must_use]
    pub fn with_build_id(mut self, id: &[u8]) -> Self {
        self.build_id = Some(id.to_vec());
        self
    }

    fn misc(&self) -> u16 {
        self.cpumode | if self.executable { 0 } else { 1 << 13 }
    }

    fn place(&self, encoder: &Encoder) -> Vec<u8> {
        let mut body = encoder.halves(&[self.pid as u32, self.pid as u32]);
        body.extend(encoder.words(&[self.start, self.len, self.pgoff]));
        body
    }

    pub(super) fn encode(&self, encoder: &Encoder, event: Option<&EventSpec>) -> Vec<u8> {
        let mut body = self.place(encoder);
        let mut misc = self.misc();
        match &self.build_id {
            Some(id) => {
                misc |= 1 << 14;
                body.extend([id.len() as u8, 0, 0, 0]);
                let mut id = id.clone();
                id.resize(20, 0);
                body.extend(id);
            }
            None => {
                body.extend(encoder.halves(&[8, 1]));
                body.extend(encoder.words(&[1234, 0]));
            }
        }
        body.extend(encoder.halves(&[PROT_READ | if self.executable { PROT_EXEC } else { 0 }, 2]));
        body.extend(encoder.name(&self.name));
        body.extend(trailer(encoder, event, self.pid, self.time));
        encoder.record(10, misc, &body)
    }

    pub(super) fn encode_v1(&self, encoder: &Encoder, event: Option<&EventSpec>) -> Vec<u8> {
        let mut body = self.place(encoder);
        body.extend(encoder.name(&self.name));
        body.extend(trailer(encoder, event, self.pid, self.time));
        encoder.record(1, self.misc(), &body)
    }
}

/// A sample.
#[derive(Debug, Clone)]
pub struct SampleSpec {
    /// Index of the event.
    pub event: usize,
    /// Id of the process, and of the thread.
    pub pid: i32,
    /// Time of the sample.
    pub time: u64,
    /// Number of the CPU.
    pub cpu: u32,
    /// Instruction pointer.
    pub ip: u64,
    /// Period of the sample, if the event records it.
    pub period: u64,
    /// Mode of the CPU at `ip`: 1 kernel, 2 user.
    pub cpumode: u16,
    /// Words of the READ field, if the event records it: all of them, including the count of a group.
    pub read: Vec<u64>,
    /// Call chain, if the event records it.
    pub callchain: Vec<u64>,
    /// Raw data, if the event records it, padded so that the size of the sample is a multiple of 8.
    pub raw: Vec<u8>,
    /// Entries of the branch stack: from, to, flags in little-endian numbering; newest first.
    pub entries: Vec<(u64, u64, u64)>,
    /// Fields after the branch stack.
    pub rest: Vec<u8>,
    /// True to leave out hw_idx if there are no entries, as kernels do whose PMU delivered no branch stack.
    pub lone_zero: bool,
}

impl SampleSpec {
    /// Makes a sample of an event in a process.
    #[must_use]
    pub fn of(event: usize, pid: i32) -> Self {
        Self {
            event,
            pid,
            time: 0,
            cpu: 0,
            ip: 0,
            period: 1,
            cpumode: USER,
            read: Vec::new(),
            callchain: Vec::new(),
            raw: Vec::new(),
            entries: Vec::new(),
            rest: Vec::new(),
            lone_zero: false,
        }
    }

    /// Sets the time.
    #[must_use]
    pub fn at(mut self, time: u64) -> Self {
        self.time = time;
        self
    }

    /// Sets the instruction pointer.
    #[must_use]
    pub fn ip(mut self, ip: u64) -> Self {
        self.ip = ip;
        self
    }

    /// Sets a branch stack of predicted branches, newest first.
    #[must_use]
    pub fn branches(mut self, branches: &[(u64, u64)]) -> Self {
        self.entries = branches.iter().map(|&(from, to)| (from, to, 1 << 1)).collect();
        self
    }

    /// Sets a branch stack with flags, newest first.
    #[must_use]
    pub fn entries(mut self, entries: &[(u64, u64, u64)]) -> Self {
        self.entries = entries.to_vec();
        self
    }

    pub(super) fn encode(&self, encoder: &Encoder, event: &EventSpec) -> Vec<u8> {
        const HW_INDEX: u64 = 1 << 17;
        let id = event.ids.first().copied().unwrap_or(0);
        let mut body = Vec::new();
        for (bit, bytes) in [
            (field::IDENTIFIER, encoder.u64(id).to_vec()),
            (field::IP, encoder.u64(self.ip).to_vec()),
            (field::TID, encoder.halves(&[self.pid as u32, self.pid as u32])),
            (field::TIME, encoder.u64(self.time).to_vec()),
            (field::ADDR, encoder.u64(0).to_vec()),
            (field::ID, encoder.u64(id).to_vec()),
            (field::STREAM_ID, encoder.u64(id).to_vec()),
            (field::CPU, encoder.halves(&[self.cpu, 0])),
            (field::PERIOD, encoder.u64(self.period).to_vec()),
            (field::READ, encoder.words(&self.read)),
        ] {
            if event.has(bit) {
                body.extend(bytes);
            }
        }
        if event.has(field::CALLCHAIN) {
            body.extend(encoder.u64(self.callchain.len() as u64));
            body.extend(encoder.words(&self.callchain));
        }
        if event.has(field::RAW) {
            let len = (self.raw.len() + 4).next_multiple_of(8) - 4;
            body.extend(encoder.u32(len as u32));
            body.extend_from_slice(&self.raw);
            body.resize(body.len() + len - self.raw.len(), 0);
        }
        if event.has(field::BRANCH_STACK) {
            body.extend(encoder.u64(self.entries.len() as u64));
            if event.branch_sample_type & HW_INDEX != 0 && !(self.lone_zero && self.entries.is_empty()) {
                body.extend(encoder.u64(u64::MAX));
            }
            for &(from, to, flags) in &self.entries {
                body.extend(encoder.words(&[from, to, encoder.branch_flags(flags)]));
            }
        }
        body.extend_from_slice(&self.rest);
        encoder.record(9, self.cpumode, &body)
    }
}

fn trailer(encoder: &Encoder, event: Option<&EventSpec>, pid: i32, time: u64) -> Vec<u8> {
    event.map(|event| event.trailer(encoder, pid, time)).unwrap_or_default()
}

pub(super) fn comm(
    encoder: &Encoder,
    event: Option<&EventSpec>,
    pid: i32,
    name: &str,
    exec: bool,
    time: u64,
) -> Vec<u8> {
    let mut body = encoder.halves(&[pid as u32, pid as u32]);
    body.extend(encoder.name(name));
    body.extend(trailer(encoder, event, pid, time));
    encoder.record(3, if exec { 1 << 13 } else { 0 }, &body)
}

/// Encodes a FORK record (7) or an EXIT record (4) of a thread of the process `pid`.
pub(super) fn task(
    encoder: &Encoder,
    event: Option<&EventSpec>,
    record_type: u32,
    [pid, parent]: [i32; 2],
    tid: i32,
    time: u64,
) -> Vec<u8> {
    let mut body = encoder.halves(&[pid as u32, parent as u32, tid as u32, parent as u32]);
    body.extend(encoder.u64(time));
    body.extend(trailer(encoder, event, pid, time));
    encoder.record(record_type, 0, &body)
}

pub(super) fn lost(encoder: &Encoder, event: Option<&EventSpec>, count: u64, time: u64) -> Vec<u8> {
    let id = event.and_then(|event| event.ids.first()).copied().unwrap_or(0);
    let mut body = encoder.words(&[id, count]);
    body.extend(trailer(encoder, event, -1, time));
    encoder.record(2, 0, &body)
}

/// Encodes an entry of the BUILD_ID section or, with type 67, a record.
pub(super) fn build_id(encoder: &Encoder, record_type: u32, pid: i32, name: &str, id: &[u8]) -> Vec<u8> {
    let mut body = encoder.u32(pid as u32).to_vec();
    let mut padded = id.to_vec();
    padded.resize(20, 0);
    body.extend(padded);
    body.extend([id.len() as u8, 0, 0, 0]);
    body.extend(encoder.name(name));
    encoder.record(record_type, USER | 1 << 15, &body)
}
