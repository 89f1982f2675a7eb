// Functions without unwind information and without frame pointers, one of them without a symbol of its own.
	.text
#ifdef __x86_64__
	.globl assembly_loop
assembly_loop:
	xorl %eax, %eax
1:	testl %edi, %edi
	je 2f
	leal (%rax,%rdi,2), %eax
	decl %edi
	jmp 1b
2:	ret
	.globl assembly_calls
	.type assembly_calls,@function
assembly_calls:
	pushq %rbx
	pushq %r12
	pushq %r13
	movl %edi, %ebx
	movq %rsi, %r12
	xorl %r13d, %r13d
3:	movl %ebx, %edi
	call *%r12
	addl %eax, %r13d
	decl %ebx
	jns 3b
	movl %r13d, %eax
	popq %r13
	popq %r12
	popq %rbx
	ret
	.size assembly_calls, .-assembly_calls
	.globl assembly_jumps
	.type assembly_jumps,@function
assembly_jumps:
	addl $3, %edi
	jmp callback
	.size assembly_jumps, .-assembly_jumps
	.globl assembly_hides
	.type assembly_hides,@function
assembly_hides:
	subq $8, %rsp
	call .Lroutine
	call .Lroutine
	addq $8, %rsp
	ret
	.size assembly_hides, .-assembly_hides
.Lroutine:
	pushq %rdi
	pushq %rsi
	subq $8, %rsp
	call *%rsi
	addq $8, %rsp
	popq %rsi
	popq %rdi
	ret
#else
	.globl assembly_loop
assembly_loop:
	mov w1, wzr
1:	cbz w0, 2f
	add w1, w1, w0, lsl #1
	sub w0, w0, #1
	b 1b
2:	mov w0, w1
	ret
	.globl assembly_calls
	.type assembly_calls,@function
assembly_calls:
	stp x19, x20, [sp, #-32]!
	stp x21, x30, [sp, #16]
	mov w19, w0
	mov x20, x1
	mov w21, wzr
3:	mov w0, w19
	blr x20
	add w21, w21, w0
	subs w19, w19, #1
	b.ge 3b
	mov w0, w21
	ldp x21, x30, [sp, #16]
	ldp x19, x20, [sp], #32
	ret
	.size assembly_calls, .-assembly_calls
	.globl assembly_jumps
	.type assembly_jumps,@function
assembly_jumps:
	add w0, w0, #3
	b callback
	.size assembly_jumps, .-assembly_jumps
	.globl assembly_hides
	.type assembly_hides,@function
assembly_hides:
	str x30, [sp, #-16]!
	bl .Lroutine
	bl .Lroutine
	ldr x30, [sp], #16
	ret
	.size assembly_hides, .-assembly_hides
.Lroutine:
	stp x0, x30, [sp, #-32]!
	str x1, [sp, #16]
	blr x1
	ldr x1, [sp, #16]
	ldp x0, x30, [sp], #32
	ret x30
#endif
	.section .note.GNU-stack,"",%progbits
