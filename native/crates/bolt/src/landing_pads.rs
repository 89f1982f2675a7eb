//! Reads the landing pads of exceptions: the call sites of a language-specific data area (LSB Core, "Exception
//! Frames"; gcc: unwind-c++ of libsupc++).

use elf::{Image, Svma};
use gimli::{DwEhPe, EndianSlice, LittleEndian, Reader};

/// Returns the landing pads of the function at `function`, whose data area is at `area`. Returns nothing if the
/// area is damaged.
pub(crate) fn landing_pads(image: &Image, area: Svma, function: Svma) -> Vec<Svma> {
    read(image.loaded_bytes(area), function).unwrap_or_default()
}

fn read(bytes: &[u8], function: Svma) -> Option<Vec<Svma>> {
    let mut area = EndianSlice::new(bytes, LittleEndian);
    // No compiler of C++ writes a base other than the start of the function, and BOLT accepts none.
    if DwEhPe(area.read_u8().ok()?) != gimli::DW_EH_PE_omit {
        return None;
    }
    if DwEhPe(area.read_u8().ok()?) != gimli::DW_EH_PE_omit {
        area.read_uleb128().ok()?;
    }
    let encoding = DwEhPe(area.read_u8().ok()?).format();
    let length = usize::try_from(area.read_uleb128().ok()?).ok()?;
    let mut sites = area.split(length).ok()?;
    let mut found = Vec::new();
    while !sites.is_empty() {
        value(&mut sites, encoding)?;
        value(&mut sites, encoding)?;
        let pad = value(&mut sites, encoding)?;
        sites.read_uleb128().ok()?;
        if pad != 0 {
            found.push(function.wrapping_add(pad));
        }
    }
    Some(found)
}

/// Reads a value of a call site.
fn value(sites: &mut EndianSlice<'_, LittleEndian>, encoding: DwEhPe) -> Option<u64> {
    match encoding {
        gimli::DW_EH_PE_uleb128 => sites.read_uleb128(),
        gimli::DW_EH_PE_udata2 | gimli::DW_EH_PE_sdata2 => sites.read_u16().map(u64::from),
        gimli::DW_EH_PE_udata4 | gimli::DW_EH_PE_sdata4 => sites.read_u32().map(u64::from),
        gimli::DW_EH_PE_absptr | gimli::DW_EH_PE_udata8 | gimli::DW_EH_PE_sdata8 => sites.read_u64(),
        _ => return None,
    }
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_sites_with_a_landing_pad() {
        // The area has no base, its types at offset 9, and its call sites in ULEB128: two call sites, and one
        // without a landing pad.
        let area = [
            0xff, 0x9b, 9, 0x01, 13, 0, 4, 0x20, 1, 4, 4, 0, 0, 8, 2, 0xa0, 0x01, 7, 7,
        ];
        assert_eq!(read(&area, Svma(0x1000)), Some(vec![Svma(0x1020), Svma(0x10a0)]));
        assert_eq!(read(&area[..10], Svma(0x1000)), None, "cut off");
    }
}
