import type { BindingDiagnosticCode } from '../native/binding/index.cjs';

/**
 * Stable identifiers of warnings and notes. Codes are only ever added.
 *
 * - `addresses-of-other-events`: addresses were sampled by events that count neither time nor instructions
 * - `binaries-alike`: two binaries of several are the same file, or builds with the same name
 * - `binaries-not-found`: files that the recording maps were looked for and not found
 * - `binary-doubtful`: the recording may have been made with another build of the binary
 * - `binary-duplicate`: a binary was named more than once
 * - `binary-mismatch`: the recording was made with another build of the binary
 * - `binary-without-profile`: one of several binaries has no profile
 * - `branches-sampled`: branches were sampled one by one (Arm SPE)
 * - `call-chains-unused`: the recording has call chains, which are not used
 * - `call-stack-detail`: a call stack that was left out; one of many
 * - `call-stacks-cut`: call stacks end before the outermost function
 * - `call-stacks`: call stacks were left out, or are unsure
 * - `checksum-mismatch`: counts were left out because checksums tell another version of a function
 * - `compression-ignored`: the encoding cannot be compressed
 * - `contexts-absent`: calling contexts were asked for, and there are none
 * - `counter-overflow`: counts reached the largest that a counter holds
 * - `crosses-barrier`: runs were left out that would pass a call, return or jump
 * - `crosses-function`: runs go on through the end of a function
 * - `debug-file`: where the debug information was found
 * - `debug-info-damaged`: samples lie in debug information that cannot be read
 * - `debug-info`: debug information is missing or cannot be read
 * - `debuginfod`: files were asked of a debuginfod server
 * - `density-low`: the profile has few samples for its size
 * - `density-zero`: no sample is in the hot part
 * - `duplicate-starts-detail`: one such address
 * - `duplicate-starts`: several symbols start at one address
 * - `empty-profile`: the result has no functions
 * - `event-left-out`: samples of an event cannot be used
 * - `event-missing`: a text does not name the event of a sample
 * - `event-unexpected`: a text names another event than was asked for
 * - `event-unknown`: samples belong to no event of the recording
 * - `few-addresses`: few addresses were sampled for so many functions
 * - `flow-not-found`: functions are too large for their counts to be inferred
 * - `flow-sensitive-mark-lost`: the result cannot say that discriminators are flow-sensitive
 * - `folder-unreadable`: a folder to look for binaries in cannot be read
 * - `found-without-profile`: binaries that were found have no profile
 * - `guest-samples`: samples were taken in guests of a hypervisor
 * - `inferred-counts`: counts are inferred from sampled addresses
 * - `input-damaged`: an input ends early or is damaged
 * - `input-repeated`: an input was given more than once
 * - `input-skipped`: an input was left out
 * - `instructions-unknown`: code that ran holds bytes that no instruction is known for
 * - `invalid-instructions-detail`: one such place
 * - `invalid-instructions`: code was left out that cannot be decoded
 * - `kcore-unused`: the recorded memory of the kernel is not of the binary
 * - `line-invalid`: a line of a text cannot be read
 * - `line-too-long`: a line of a text is too long to be one
 * - `lines-invalid`: lines of a text were passed over
 * - `mapping-invalid`: a mapping in a text cannot be read
 * - `md5-ignored`: the encoding has no hashed names
 * - `mmap-event`: a mapping in the recording
 * - `module-layout`: how the sections of a kernel module were laid out is not sure
 * - `name-conflict`: a symbol names code of a function that has another name
 * - `name-not-for-text`: a name reads as something else in text
 * - `names-differ`: some inputs have hashed names and others do not
 * - `names-hashed`: names were asked for that the input has as hashes only
 * - `names-unknown`: pseudo probes name functions that are not described
 * - `no-function-entry-detail`: one such function
 * - `no-function-entry`: functions have no entry in the symbol table
 * - `no-function`: runs start in no function of the debug information
 * - `no-functions`: the debug information has no functions
 * - `no-samples`: a binary has no samples
 * - `no-sections`: the encoding has no sections
 * - `not-mapped`: a text has no mapping of the binary
 * - `off-boundary`: ranges do not start or end at instructions
 * - `other-build`: the recording maps another build of the binary
 * - `partial-input`: an input was marked as partial
 * - `partial-mark-lost`: the result cannot say that it is partial
 * - `patch-sites`: a table of the kernel's patch sites cannot be read
 * - `pre-inlined-mark-lost`: the result cannot say that the pre-inliner chose what to inline
 * - `probes-ambiguous`: object files have different pseudo probes for one function
 * - `probes-unnamed`: pseudo probes of functions without a name were left out
 * - `probes-unplaced`: pseudo probes could not be placed
 * - `range-conflict`: ranges contradict each other
 * - `range-detail`: one such range
 * - `records-malformed`: records of a recording are malformed
 * - `records-unknown`: records are of types that are not known
 * - `recovered-function`: runs start in code that lies outside of its function
 * - `run-ends-unsure`: runs of traces may end further on than counted
 * - `samples-filtered`: an event samples some kinds of operations only
 * - `split-units-missing`: split debug information is missing
 * - `symbol-file`: a file of symbols cannot be used
 * - `symbol-list-lost`: the encoding has no list of symbols
 * - `text-without-mappings`: a text has no mappings at all
 * - `total-overflow`: a total reached the largest that a counter holds
 * - `trace-damaged`: part of a trace is damaged or missing
 * - `trace-truncated`: the CPU had no room for part of a trace
 * - `transactions-left-out`: branches inside of transactions were not recorded
 */
export type DiagnosticCode = BindingDiagnosticCode | 'debuginfod';
