# x86-64 instructions of every control-flow class that compilers seldom emit, and data
# between functions, which a linear disassembly also decodes.
	.intel_syntax noprefix
	.text

	.macro function name
	.globl \name
	.type \name, @function
	.p2align 4
\name:
	.endm

function class_loop			# loop: neither jmp nor jcc
	mov rcx, rdi
	xor eax, eax
1:	add rax, rcx
	loop 1b
	ret

function class_jrcxz
	mov rcx, rdi
	mov eax, 7
	jrcxz 1f
	add rax, rcx
1:	ret 0				# near return with an operand

function class_table			# an indirect jump is no barrier
	lea rdx, [rip + .Ltable]
	movsxd rax, dword ptr [rdx + rdi * 4]
	add rax, rdx
	notrack jmp rax
.Lcase0:
	mov eax, 10
	ret
.Lcase1:
	mov eax, 20
	jmp .Lend
.Lcase2:
	call class_jrcxz@PLT
.Lend:	inc rax
	.byte 0xf2			# bnd
	ret

function class_strings			# repeated string instructions are no branches
	mov rcx, rdi
	mov rdi, rsi
	mov al, 5
	rep stosb
	mov rdi, rsi
	mov ecx, 128
	mov al, 6
	repne scasb
	mov rax, rcx
	rep ret

function class_data
	jmp 1f
	.byte 0x06, 0x0e, 0xff, 0xff	# no instructions in 64-bit mode
	.quad 0xc3c3c3c3c3c3c3c3
1:	lea rax, [rdi + 3]
	test dil, 1
	jz 2f
	ret
	ud2
2:	neg rax
	ret

function class_trampoline		# a jump to another function: barrier, head and call target
	add rdi, 2
	jmp class_data@PLT

	.section .rodata
	.p2align 2
.Ltable:
	.long .Lcase0 - .Ltable, .Lcase1 - .Ltable, .Lcase2 - .Ltable, .Lcase1 - .Ltable
	.section .note.GNU-stack, "", @progbits
