//! Section types and flags (LLVM: `SecType`, `SecCommonFlags` and following in `SampleProf.h`).

use crate::binary::magic;

/// `SPF_Ext_Binary`.
pub(crate) const MAGIC: u64 = magic(0x04);

/// `SecProfSummary`.
pub(crate) const PROFILE_SUMMARY: u64 = 1;
/// `SecNameTable`.
pub(crate) const NAME_TABLE: u64 = 2;
/// `SecProfileSymbolList`.
pub(crate) const PROFILE_SYMBOL_LIST: u64 = 3;
/// `SecFuncOffsetTable`.
pub(crate) const FUNC_OFFSET_TABLE: u64 = 4;
/// `SecFuncMetadata`.
pub(crate) const FUNC_METADATA: u64 = 5;
/// `SecCSNameTable`.
pub(crate) const CS_NAME_TABLE: u64 = 6;
/// `SecLBRProfile`.
pub(crate) const LBR_PROFILE: u64 = 32;

/// Returns the name that LLVM's tools print for a type of section (`getSecName`).
pub(crate) const fn name(section_type: u64) -> &'static str {
    match section_type {
        0 => "InvalidSection",
        PROFILE_SUMMARY => "ProfileSummarySection",
        NAME_TABLE => "NameTableSection",
        PROFILE_SYMBOL_LIST => "ProfileSymbolListSection",
        FUNC_OFFSET_TABLE => "FuncOffsetTableSection",
        FUNC_METADATA => "FunctionMetadata",
        CS_NAME_TABLE => "CSNameTableSection",
        LBR_PROFILE => "LBRProfileSection",
        _ => "UnknownSection",
    }
}

/// Returns the flags of a section that LLVM 22 defines, or `None` for a type that LLVM skips.
pub(crate) const fn known_flags(section_type: u64) -> Option<u64> {
    let own = match section_type {
        PROFILE_SUMMARY => {
            flag::PARTIAL | flag::FULL_CONTEXT | flag::FS_DISCRIMINATOR | flag::PRE_INLINED | flag::VTABLE_TYPES
        }
        NAME_TABLE => flag::MD5_NAME | flag::FIXED_LENGTH_MD5 | flag::UNIQ_SUFFIX,
        FUNC_OFFSET_TABLE => flag::ORDERED,
        FUNC_METADATA => flag::PROBE_BASED | flag::HAS_ATTRIBUTE,
        PROFILE_SYMBOL_LIST | CS_NAME_TABLE | LBR_PROFILE => 0,
        _ => return None,
    };
    Some(flag::COMPRESS | flag::FLAT | own)
}

/// Flags of a section. The lower 32 bits mean the same in every section; the upper 32 bits depend on the type of the
/// section.
pub(crate) mod flag {
    /// `SecFlagCompress`: the content is a zlib stream that follows its two sizes.
    pub(crate) const COMPRESS: u64 = 1;
    /// `SecFlagFlat`: nothing is inlined into the functions of the section.
    pub(crate) const FLAT: u64 = 2;
    /// `SecFlagPartial` of the summary.
    pub(crate) const PARTIAL: u64 = 1 << 32;
    /// `SecFlagFullContext` of the summary: functions are told apart by calling context.
    pub(crate) const FULL_CONTEXT: u64 = 2 << 32;
    /// `SecFlagFSDiscriminator` of the summary.
    pub(crate) const FS_DISCRIMINATOR: u64 = 4 << 32;
    /// `SecFlagIsPreInlined` of the summary.
    pub(crate) const PRE_INLINED: u64 = 16 << 32;
    /// `SecFlagHasVTableTypeProf` of the summary: each function ends with counts of virtual tables.
    pub(crate) const VTABLE_TYPES: u64 = 32 << 32;
    /// `SecFlagMD5Name` of the name table.
    pub(crate) const MD5_NAME: u64 = 1 << 32;
    /// `SecFlagFixedLengthMD5` of the name table.
    pub(crate) const FIXED_LENGTH_MD5: u64 = 2 << 32;
    /// `SecFlagUniqSuffix` of the name table: names have the suffix `.__uniq.`, which compilers must not strip.
    pub(crate) const UNIQ_SUFFIX: u64 = 4 << 32;
    /// `SecFlagOrdered` of the offset table.
    pub(crate) const ORDERED: u64 = 1 << 32;
    /// `SecFlagIsProbeBased` of the metadata.
    pub(crate) const PROBE_BASED: u64 = 1 << 32;
    /// `SecFlagHasAttribute` of the metadata.
    pub(crate) const HAS_ATTRIBUTE: u64 = 2 << 32;
}
