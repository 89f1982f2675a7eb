//! Reads the unwind tables: the ranges of functions, and the landing pads of exceptions.

use elf::{Image, Svma};
use gimli::{BaseAddresses, CieOrFde, EhFrame, EndianSlice, LittleEndian, Pointer, UnwindSection};

use crate::landing_pads::landing_pads;

/// The ranges and landing pads in the unwind tables of an image.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Start and length in bytes, ascending, one entry for each start.
    ranges: Vec<(Svma, u64)>,
    /// Addresses of landing pads, ascending.
    landing_pads: Vec<Svma>,
}

impl Frames {
    /// Reads `.eh_frame` up to the first damage.
    pub(crate) fn read(image: &Image) -> Self {
        let Some(section) = image.section(".eh_frame") else {
            return Self::default();
        };
        let mut bases = BaseAddresses::default().set_eh_frame(section.svma.0);
        for (name, set) in [
            (
                ".text",
                BaseAddresses::set_text as fn(BaseAddresses, u64) -> BaseAddresses,
            ),
            (".got", BaseAddresses::set_got),
        ] {
            if let Some(found) = image.section(name) {
                bases = set(bases, found.svma.0);
            }
        }
        let frames = EhFrame::new(section.data, LittleEndian);
        let mut entries = frames.entries(&bases);
        let mut found = Self::default();
        while let Ok(Some(entry)) = entries.next() {
            let CieOrFde::Fde(partial) = entry else { continue };
            let Ok(fde) = partial.parse(|_, bases, offset| {
                let frames: &EhFrame<EndianSlice<'_, LittleEndian>> = &frames;
                frames.cie_from_offset(bases, offset)
            }) else {
                continue;
            };
            let start = Svma(fde.initial_address());
            found.ranges.push((start, fde.len()));
            if let Some(Pointer::Direct(table)) = fde.lsda() {
                found.landing_pads.extend(landing_pads(image, Svma(table), start));
            }
        }
        found.ranges.sort_unstable();
        found.ranges.dedup_by_key(|(start, _)| *start);
        found.landing_pads.sort_unstable();
        found.landing_pads.dedup();
        found
    }

    /// Returns start and length in bytes of each range, ascending, one entry for each start.
    pub(crate) fn ranges(&self) -> &[(Svma, u64)] {
        &self.ranges
    }

    /// Returns the length of the range that starts at `svma`, in bytes.
    pub(crate) fn size_at(&self, svma: Svma) -> Option<u64> {
        let index = self.ranges.binary_search_by_key(&svma, |(start, _)| *start).ok()?;
        Some(self.ranges[index].1)
    }

    /// Returns true if a range starts before `svma` and ends after it.
    pub(crate) fn has_inside(&self, svma: Svma) -> bool {
        let before = self.ranges.partition_point(|(start, _)| *start < svma);
        before.checked_sub(1).is_some_and(|index| {
            let (start, length) = self.ranges[index];
            svma.0 - start.0 < length
        })
    }

    /// Returns the landing pads from `start` to before `end`.
    pub(crate) fn landing_pads(&self, start: Svma, end: Svma) -> &[Svma] {
        let first = self.landing_pads.partition_point(|pad| *pad < start);
        let following = self.landing_pads.partition_point(|pad| *pad < end);
        &self.landing_pads[first..following.max(first)]
    }
}
