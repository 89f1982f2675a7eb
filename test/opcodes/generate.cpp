/*
 * Asks LLVM's x86 disassembler about every opcode, and writes the accepted opcodes as opcodes.txt, which
 * native/crates/elf/build.rs turns into tables. generate.sh builds and runs this program; README.md describes the
 * format.
 *
 * For each map, each combination of prefixes and each opcode, the program tries 72 kinds of ModR/M byte: a memory
 * operand with each value of the reg field, and each register operand. It then tries accepted encodings with each
 * register extension and with vvvv, to learn which of these the encoding takes.
 */
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Triple.h"
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

using Bytes = std::vector<uint8_t>;

struct Decoded {
	bool valid;
	unsigned size, id;
};

class Disassembler {
	llvm::Triple triple;
	llvm::MCTargetOptions options;
	std::unique_ptr<llvm::MCRegisterInfo> registers;
	std::unique_ptr<llvm::MCAsmInfo> assembly;
	std::unique_ptr<llvm::MCSubtargetInfo> subtarget;
	std::unique_ptr<llvm::MCContext> context;
	std::unique_ptr<llvm::MCDisassembler> disassembler;

    public:
	std::unique_ptr<llvm::MCInstrInfo> instructions;

	explicit Disassembler(const char *name) : triple(name)
	{
		std::string error;
		const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
		registers.reset(target->createMCRegInfo(triple));
		assembly.reset(target->createMCAsmInfo(*registers, triple, options));
		subtarget.reset(target->createMCSubtargetInfo(triple, "", ""));
		context.reset(new llvm::MCContext(triple, assembly.get(), registers.get(), subtarget.get()));
		disassembler.reset(target->createMCDisassembler(*subtarget, *context));
		instructions.reset(target->createMCInstrInfo());
	}

	Decoded decode(Bytes bytes) const
	{
		bytes.resize(40);
		llvm::MCInst instruction;
		uint64_t size = 0;
		bool valid = disassembler->getInstruction(instruction, size, bytes, 0, llvm::nulls()) ==
			llvm::MCDisassembler::Success;
		return { valid, unsigned(size), valid ? instruction.getOpcode() : 0 };
	}
};

static Disassembler *llvm_x86;
static bool is_64_bit;

enum Space { LEGACY, VEX, XOP, EVEX };
enum { NOW_MAP = 4 }; /* a map of LEGACY: 3DNow!, whose opcode is behind the operands */

/* The fields that select the instruction, in addition to the opcode and the ModR/M byte. */
struct Context {
	Space space = LEGACY;
	int map = 0;
	bool operand_size = false, address_size = false; /* only for LEGACY */
	int repeat = 0; /* only for LEGACY: 1 for F3, 2 for F2 */
	bool rex2 = false; /* only for LEGACY */
	int pp = 0; /* only for the other spaces */
	bool w = false;
	int l = 0; /* VEX and XOP: the bit L; EVEX: the bits L'L */
	bool b = false, z = false, u = false; /* only for EVEX, as aaa; u is true if the bit U is 0 */
	int a = 0;
	bool operand_size_before = false; /* the prefix 66 comes before all other prefixes */
};

/* The extensions of register numbers, and vvvv as the number of a register. */
struct Extensions {
	bool r = false, r4 = false, x = false, b = false, b4 = false;
	int v = 0;
};

enum { MEMORY_FORMS = 8, FORMS = 72 };

/* Writes the bytes up to ModR/M. Returns false if there is no such encoding. */
static bool encode(const Context &c, const Extensions &e, uint8_t opcode, Bytes &out)
{
	out.clear();
	auto put = [&](unsigned byte) { out.push_back(uint8_t(byte)); };
	if (c.operand_size_before)
		put(0x66);
	if (c.space == EVEX) {
		put(0x62);
		put(unsigned(!e.r << 7 | !e.x << 6 | !e.b << 5 | !e.r4 << 4 | e.b4 << 3 | c.map));
		put(unsigned(c.w << 7 | (~e.v & 15) << 3 | !c.u << 2 | c.pp));
		put(unsigned(c.z << 7 | c.l << 5 | c.b << 4 | !(e.v & 16) << 3 | c.a));
		put(opcode);
		return true;
	}
	if (c.space != LEGACY) {
		put(c.space == VEX ? 0xc4 : 0x8f);
		put(unsigned(!e.r << 7 | !e.x << 6 | !e.b << 5 | c.map));
		put(unsigned(c.w << 7 | (~e.v & 15) << 3 | c.l << 2 | c.pp));
		put(opcode);
		return !e.r4 && !e.b4 && e.v < 16;
	}
	bool rex2 = c.rex2 || e.r4 || e.b4, rex = c.w || e.r || e.x || e.b;
	bool two_bytes = c.map == 1;
	/* 66 has no effect together with REX.W, unless it selects an instruction of a later map. */
	if (c.operand_size && c.w && (c.repeat || rex2 || c.map == 0))
		return false;
	if (e.v || ((rex || rex2) && !is_64_bit) || (rex2 && c.map > 1))
		return false;
	if (c.address_size)
		put(0x67);
	/*
	 * LLVM takes a prefix directly before the opcode only for a part of the opcode, so a segment prefix stands
	 * in between.
	 */
	const unsigned segment = 0x2e;
	if (c.repeat) {
		put(c.repeat == 1 ? 0xf3 : 0xf2);
		put(segment);
	}
	if (c.operand_size) {
		put(0x66);
		if (!c.w)
			put(segment);
	}
	if (rex2) {
		put(0xd5);
		put(unsigned(two_bytes << 7 | e.r4 << 6 | e.b4 << 4 | c.w << 3 | e.r << 2 | e.x << 1 | e.b));
		put(opcode);
		return true;
	}
	if (rex)
		put(unsigned(0x40 | c.w << 3 | e.r << 2 | e.x << 1 | e.b));
	if (c.map > 0)
		put(0x0f);
	if (c.map > 1)
		put(c.map == 2 ? 0x38 : c.map == 3 ? 0x3a : 0x0f);
	if (c.map != NOW_MAP)
		put(opcode);
	return true;
}

static bool has_sib(const Context &c, int form)
{
	return form < MEMORY_FORMS && (is_64_bit || !c.address_size);
}

/* Decodes the opcode with one form of ModR/M. Returns false if there is no such encoding. */
static bool ask(const Context &c, const Extensions &e, uint8_t opcode, int form, bool sib, Decoded &answer)
{
	Bytes bytes;
	if (!encode(c, e, opcode, bytes))
		return false;
	if (form >= MEMORY_FORMS)
		bytes.push_back(uint8_t(0xc0 | (form - MEMORY_FORMS)));
	else if (sib)
		bytes.insert(bytes.end(), { uint8_t(form << 3 | 4), 0 });
	else
		bytes.push_back(uint8_t(form << 3));
	if (c.space == LEGACY && c.map == NOW_MAP)
		bytes.push_back(opcode);
	answer = llvm_x86->decode(bytes);
	return true;
}

/* Lines of one sort. They are numbered from `first` in the order in which they occur. */
struct Numbered {
	int first = 0;
	std::map<std::string, int> numbers = {};
	std::vector<std::string> lines = {};

	int number(const std::string &line)
	{
		auto found = numbers.emplace(line, int(lines.size()) + first);
		if (found.second)
			lines.push_back(line);
		return found.first->second;
	}

	void print(const char *word) const
	{
		for (size_t i = 0; i < lines.size(); i++)
			printf("%s %d %s\n", word, int(i) + first, lines[i].c_str());
	}
};

static Numbered kinds, cells, rows, evex_rows;

/* Writes repeated values in short: "7 0*3" for 7 0 0 0. */
static std::string runs(const std::vector<int> &values)
{
	std::string text;
	for (size_t i = 0, j; i < values.size(); i = j) {
		for (j = i; j < values.size() && values[j] == values[i]; j++)
			;
		text += (i ? " " : "") + std::to_string(values[i]);
		if (j - i > 1)
			text += "*" + std::to_string(j - i);
	}
	return text;
}

static const char *class_of(unsigned id)
{
	const llvm::MCInstrDesc &d = llvm_x86->instructions->get(id);
	if (llvm_x86->instructions->getName(id) == "JMPABS64i")
		return "jmpabs"; /* LLVM does not take it for a branch */
	if (d.isCall())
		return "call";
	if (d.isReturn())
		return "return";
	if (d.isBranch())
		return d.isUnconditionalBranch() ? "jump" : "branch";
	return "other";
}

/* Returns the class, the immediate, and the extensions that the operands do not take. */
static std::string kind_of(const Context &c, uint8_t opcode, int form, bool modrm, const Decoded &plain)
{
	Bytes head;
	encode(c, {}, opcode, head);
	bool is_now = c.space == LEGACY && c.map == NOW_MAP;
	int operands = modrm ? 1 + has_sib(c, form) : 0;
	int immediate = int(plain.size) - int(head.size()) - operands - is_now;
	std::string text = std::string(class_of(plain.id)) + " " + std::to_string(immediate);
	Decoded other;
	Context shrunk = c;
	shrunk.operand_size_before = true;
	bool can_shrink = c.space != LEGACY || (c.repeat && c.map > 0);
	if (can_shrink && ask(shrunk, {}, opcode, form, true, other) && other.valid && other.size != plain.size + 1)
		text += " shrinks";
	auto refuses = [&](const Extensions &e) {
		return ask(c, e, opcode, form, true, other) && !other.valid;
	};
	auto add = [&](const char *word, const Extensions &e) {
		if (refuses(e))
			text += std::string(" ") + word;
	};
	if (c.space != LEGACY) {
		add("-v1", { .v = 1 });
		add("-v8", { .v = 8 });
		if (is_64_bit && c.space == EVEX)
			add("-v16", { .v = 16 });
	}
	if (modrm && is_64_bit) {
		add("-r8", { .r = true });
		add("-r16", { .r4 = true });
		if (form >= MEMORY_FORMS) {
			add("-b8", { .b = true });
			add("-b16", { .b4 = true });
			if (c.space == EVEX)
				add("-x16", { .x = true });
		}
	}
	if (modrm && has_sib(c, form) && ask(c, {}, opcode, form, false, other) && !other.valid) {
		text += " sib";
		/* X4, which is U, and V' both extend the number of an index register that is a vector register. */
		Context extended = c;
		extended.u = true;
		if (is_64_bit && c.space == EVEX && ask(extended, { .v = 16 }, opcode, form, true, other) && !other.valid)
			text += " -x32";
	}
	return text;
}

static bool is_rex(int opcode)
{
	return is_64_bit && (opcode & 0xf0) == 0x40;
}

/* True for prefixes. LLVM knows some of them as instructions, too. */
static bool is_prefix(const Context &c, int opcode)
{
	static const std::string prefixes = "\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3";
	return c.space == LEGACY && c.map == 0 && (prefixes.find(char(opcode)) != std::string::npos || is_rex(opcode));
}

/* Decodes a prefix where it is an instruction: after REX2, or before LOCK. */
static Decoded ask_prefix(int opcode)
{
	Decoded found = is_64_bit ? llvm_x86->decode({ 0xd5, 0, uint8_t(opcode) }) : llvm_x86->decode({ uint8_t(opcode), 0xf0 });
	found.valid &= found.size == (is_64_bit ? 3 : 1);
	return found;
}

/* True for bytes that are not an opcode in this form, because they begin an encoding of another space. */
static bool is_no_opcode(const Context &c, int opcode, int form)
{
	if (c.space != LEGACY)
		return false;
	if (c.map == 1)
		return opcode == 0x0f || opcode == 0x38 || opcode == 0x3a;
	if (c.map != 0)
		return false;
	switch (opcode) {
	case 0x0f:
		return true;
	case 0x62: case 0xc4: case 0xc5: /* in 32-bit mode instructions that take memory only */
		return is_64_bit || form >= MEMORY_FORMS;
	case 0x8f: /* XOP, unless the reg field is zero */
		return form < MEMORY_FORMS ? form != 0 : (form - MEMORY_FORMS) >> 3 != 0;
	case 0xd5: /* REX2 */
		return is_64_bit;
	}
	return false;
}

/* Returns the number of the cell for an opcode. A cell has the result for each form of ModR/M. */
static int cell(const Context &c, int opcode)
{
	if (is_prefix(c, opcode)) {
		int kind = ask_prefix(opcode).valid ? kinds.number("other 0") : 0;
		return cells.number("plain " + runs(std::vector<int>(FORMS, kind)));
	}
	Decoded answers[FORMS] = {};
	bool modrm = false;
	for (int form = 0; form < FORMS; form++) {
		if (is_no_opcode(c, opcode, form) || !ask(c, {}, uint8_t(opcode), form, has_sib(c, form), answers[form]))
			answers[form] = {};
		modrm |= answers[form].id != answers[0].id || answers[form].size != answers[0].size;
	}
	std::vector<int> numbers;
	for (int form = 0; form < FORMS; form++)
		numbers.push_back(answers[form].valid ?
			kinds.number(kind_of(c, uint8_t(opcode), form, modrm, answers[form])) : 0);
	return cells.number((modrm ? "modrm " : "plain ") + runs(numbers));
}

static int row(const Context &c)
{
	std::vector<int> numbers;
	for (int opcode = 0; opcode < 256; opcode++)
		numbers.push_back(cell(c, opcode));
	return rows.number(runs(numbers));
}

static void survey(int bits)
{
	is_64_bit = bits == 64;
	llvm_x86 = new Disassembler(is_64_bit ? "x86_64" : "i386");
	kinds = { .first = 1 };
	cells = rows = evex_rows = {};
	cells.number("plain " + runs(std::vector<int>(FORMS, 0)));
	std::string index;
	auto line = [&](const std::string &words, const std::vector<int> &numbers) {
		index += words + " " + runs(numbers) + "\n";
	};
	for (int map = 0; map <= NOW_MAP; map++)
		for (int rex2 = 0; rex2 < (map == 0 && is_64_bit ? 2 : 1); rex2++) {
			std::vector<int> numbers;
			for (int w = 0; w < 2; w++)
				for (int repeat = 0; repeat < 3; repeat++)
					for (int size = 0; size < 4; size++)
						numbers.push_back(row({ .space = LEGACY, .map = map, .operand_size = bool(size & 1),
							.address_size = bool(size & 2), .repeat = repeat, .rex2 = bool(rex2), .w = bool(w) }));
			line(rex2 ? "rex2" : "legacy " + std::to_string(map), numbers);
		}
	for (Space space : { VEX, XOP })
		for (int map = space == VEX ? 1 : 8; map <= (space == VEX ? 7 : 10); map++) {
			std::vector<int> numbers;
			for (int pp = 0; pp < 4; pp++)
				for (int w = 0; w < 2; w++)
					for (int l = 0; l < 2; l++)
						numbers.push_back(row({ .space = space, .map = map, .pp = pp, .w = bool(w), .l = l }));
			line((space == VEX ? "vex " : "xop ") + std::to_string(map), numbers);
		}
	for (int map = 1; map < 8; map++)
		for (int pp = 0; pp < 4; pp++)
			for (int w = 0; w < 2; w++) {
				std::vector<int> numbers;
				for (int opcode = 0; opcode < 256; opcode++) {
					std::vector<int> variants;
					for (int a : { 0, 1, 4 })
						for (int bits = 0; bits < 32; bits++)
							variants.push_back(cell({ .space = EVEX, .map = map, .pp = pp, .w = bool(w), .l = bits & 3,
								.b = bool(bits & 4), .z = bool(bits & 8), .u = bool(bits & 16), .a = a }, opcode));
					numbers.push_back(evex_rows.number(runs(variants)));
				}
				line("evex " + std::to_string(map) + " " + std::to_string(pp) + " " + std::to_string(w), numbers);
			}
	printf("mode %d\n", bits);
	kinds.print("kind");
	cells.print("cell");
	rows.print("row");
	evex_rows.print("evexrow");
	fputs(index.c_str(), stdout);
}

int main()
{
	LLVMInitializeX86TargetInfo();
	LLVMInitializeX86Target();
	LLVMInitializeX86TargetMC();
	LLVMInitializeX86Disassembler();
	survey(64);
	survey(32);
}
