# Instructions of every kind that compilers and system code use, for the printing of code.
.text
.globl _start
_start:
 lodsb
 lodsw
 lodsl
 lodsq
 scasb
 scasq
 repne scasb
 repe cmpsb
 cmpsl
 movsb
 rep movsb
 stosb
 rep stosq
 outsb
 insb
 in $200, %al
 in %dx, %eax
 out %al, $200
 out %eax, %dx
 int $200
 int3
 iretl
 sysretq
 sysretl
 sysexitq
 syscall
 sysenter
 lretq
 lretq $16
 lretl
 retq $65535
 enter $16, $200
 leave
 pushq $200
 pushq $-3
 pushw $-3
 pushw $300
 pushfq
 pushfw
 popfq
 pushq %fs
 popq %gs
 movw %ax, %ds
 movl %ds, %eax
 movq %cr0, %rax
 movq %rax, %dr7
 lgdt (%rax)
 sgdt (%rax)
 lidt (%rax)
 sidt (%rax)
 lldt %ax
 sldt %eax
 sldt (%rax)
 ltr %ax
 str %rax
 lmsw %ax
 smsw %eax
 invlpg (%rax)
 invpcid (%rax), %rbx
 cltq
 cqto
 cltd
 cwtl
 cwtd
 cbtw
 bswap %eax
 bswap %rax
 bt $200, %rax
 bts %rax, (%rbx)
 shld $200, %rax, %rbx
 shrd %cl, %rax, (%rbx)
 rol $200, %al
 sarb $129, (%rax)
 testb $-1, %al
 testl $-1, %eax
 testq $-1, %rax
 movb $-1, %al
 movb $200, (%rax)
 movw $-1, %ax
 movw $40000, (%rax)
 movl $-1, (%rax)
 movq $-1, (%rax)
 movq $-1, %rax
 movabsq $-1, %rax
 movabsq 0x1122334455667788, %rax
 movabsb %al, 0x1122334455667788
 addw $-1, %ax
 addw $40000, %ax
 cmpb $200, %al
 subw $40000, (%rax)
 imulw $40000, %ax, %bx
 imulw $-4, %ax, %bx
 imull $-4, (%rax), %ebx
 imulq $4000, (%rax), %rbx
 imulq %rax
 mulq (%rax)
 divb %al
 idivl (%rax)
 xchgb %al, (%rax)
 xchgq %rax, (%rax)
 xchg %rax, %rbx
 xchg %ax, %bx
 xchg %bl, %cl
 xaddl %eax, (%rbx)
 lock xaddl %eax, (%rbx)
 cmpxchg8b (%rax)
 cmpxchg16b (%rax)
 cmpxchgl %eax, %ebx
 lock cmpxchgq %rax, (%rbx)
 movbe (%rax), %ebx
 movzbw %al, %bx
 movzwl (%rax), %ebx
 movsbq %al, %rbx
 movslq (%rax), %rbx
 movswl %ax, %ebx
 pause
 nop
 nopw (%rax)
 nopl %eax
 ud1l %eax, %ebx
 ud2
 hlt
 cpuid
 rdtsc
 rdtscp
 rdpmc
 rdmsr
 wrmsr
 xgetbv
 xsetbv
 rdfsbase %rax
 wrgsbase %eax
 swapgs
 clflush (%rax)
 clflushopt (%rax)
 clwb (%rax)
 prefetcht0 (%rax)
 prefetchw (%rax)
 prefetchnta 100(%rax,%rbx,4)
 mfence
 lfence
 sfence
 fxsave (%rax)
 fxsave64 (%rax)
 fxrstor (%rax)
 xsave (%rax)
 xsave64 (%rax)
 xrstor (%rax)
 xsavec (%rax)
 xsaveopt64 (%rax)
 ldmxcsr (%rax)
 stmxcsr (%rax)
 vldmxcsr (%rax)
 fadd %st(1), %st
 fadd %st, %st(1)
 fadds (%rax)
 faddl (%rax)
 fiadds (%rax)
 fiaddl (%rax)
 flds (%rax)
 fldl (%rax)
 fldt (%rax)
 fstps (%rax)
 fstpl (%rax)
 fstpt (%rax)
 fsts (%rax)
 filds (%rax)
 fildl (%rax)
 fildll (%rax)
 fistps (%rax)
 fistpl (%rax)
 fistpll (%rax)
 fisttpll (%rax)
 fisttps (%rax)
 fbld (%rax)
 fbstp (%rax)
 fcmovb %st(1), %st
 fcom %st(1)
 fcoms (%rax)
 fcompp
 fucom %st(2)
 fucomp %st(3)
 fucompp
 fcomi %st(1), %st
 fucomi %st(1), %st
 fld %st(3)
 fst %st(3)
 fstp %st(3)
 fsub %st, %st(2)
 fsubr %st(2), %st
 fdivp %st, %st(2)
 fdivrp
 fdivr %st, %st(3)
 fxch %st(4)
 ffree %st(1)
 fincstp
 fld1
 fldz
 fldpi
 fsqrt
 fsin
 fprem
 fabs
 fchs
 fxam
 ftst
 fnop
 fninit
 fnclex
 fnstsw %ax
 fnstsw (%rax)
 fnsave (%rax)
 frstor (%rax)
 fldenv (%rax)
 fwait
 emms
 movd %eax, %xmm0
 movq %rax, %xmm0
 movd %xmm0, (%rax)
 movq %xmm0, (%rax)
 movq %xmm1, %xmm0
 movq %rax, %mm0
 movd %mm0, %eax
 movntiq %rax, (%rbx)
 movntdq %xmm0, (%rax)
 cvtsi2sdl (%rax), %xmm0
 cvtsi2sdq (%rax), %xmm0
 cvtsi2ss %eax, %xmm0
 cvttsd2si %xmm0, %rax
 cvttsd2si (%rax), %eax
 cvtsd2si %xmm0, %eax
 cvtss2si %xmm0, %rax
 cmpeqps %xmm1, %xmm0
 cmpltsd (%rax), %xmm0
 cmpps $200, %xmm1, %xmm0
 pcmpestri $200, %xmm1, %xmm0
 pcmpistrm $3, (%rax), %xmm0
 pclmulqdq $17, %xmm1, %xmm0
 pclmulqdq $0, %xmm1, %xmm0
 pextrw $3, %xmm0, %eax
 pextrb $3, %xmm0, (%rax)
 pextrq $1, %xmm0, %rax
 pinsrw $3, %eax, %xmm0
 pinsrd $3, (%rax), %xmm0
 pmovmskb %xmm0, %eax
 movmskpd %xmm0, %eax
 roundsd $9, %xmm1, %xmm0
 blendvps %xmm0, %xmm1, %xmm2
 pblendvb %xmm0, (%rax), %xmm2
 maskmovdqu %xmm1, %xmm0
 extractps $1, %xmm0, %eax
 insertps $200, %xmm1, %xmm0
 crc32b %al, %ebx
 crc32q (%rax), %rbx
 popcntl %eax, %ebx
 popcntw (%rax), %bx
 lzcntq %rax, %rbx
 tzcntw %ax, %bx
 bsfq %rax, %rbx
 andnq %rax, %rbx, %rcx
 bextrl %eax, (%rbx), %ecx
 blsrq %rax, %rbx
 pdepq %rax, %rbx, %rcx
 rorxq $200, %rax, %rbx
 mulxq %rax, %rbx, %rcx
 adcxq %rax, %rbx
 adoxl %eax, %ebx
 aesenc %xmm1, %xmm0
 aeskeygenassist $200, %xmm1, %xmm0
 sha1rnds4 $3, %xmm1, %xmm0
 sha256rnds2 %xmm0, %xmm1, %xmm2
 vaddps %ymm1, %ymm2, %ymm3
 vcmpps $200, %ymm1, %ymm2, %ymm3
 vcmpeq_uqps %ymm1, %ymm2, %ymm3
 vcmpltss %xmm1, %xmm2, %xmm3
 vpermilps $200, %ymm1, %ymm2
 vperm2f128 $200, %ymm1, %ymm2, %ymm3
 vinsertf128 $1, %xmm1, %ymm2, %ymm3
 vextracti128 $1, %ymm1, (%rax)
 vblendvps %ymm1, %ymm2, %ymm3, %ymm4
 vgatherdps %xmm1, (%rax,%xmm2,4), %xmm3
 vpgatherqq %ymm1, 8(%rax,%ymm2), %ymm3
 vcvtpd2ps %ymm1, %xmm2
 vcvtpd2psy (%rax), %xmm2
 vcvtpd2psx (%rax), %xmm2
 vcvttpd2dqx (%rax), %xmm2
 vcvttpd2dq %ymm1, %xmm2
 vcvtsi2sdq (%rax), %xmm1, %xmm2
 vcvtsi2sdl %eax, %xmm1, %xmm2
 vcvtph2ps %xmm1, %ymm2
 vcvtps2ph $4, %ymm1, (%rax)
 vfmadd213ps (%rax), %ymm1, %ymm2
 vzeroupper
 vzeroall
 vmovq %xmm1, %rax
 vmovd %eax, %xmm1
 vpsrldq $200, %xmm1, %xmm2
 vpshufb %xmm1, %xmm2, %xmm3
 vmaskmovps (%rax), %ymm1, %ymm2
 vaddps {rn-sae}, %zmm1, %zmm2, %zmm3
 vaddps %zmm1, %zmm2, %zmm3 {%k1}
 vaddps (%rax){1to16}, %zmm2, %zmm3 {%k1} {z}
 vaddps 64(%rax), %zmm2, %zmm3
 vcmpps $3, {sae}, %zmm1, %zmm2, %k1
 vcmpltps (%rax){1to16}, %zmm2, %k1 {%k2}
 vcvtpd2ps {rd-sae}, %zmm1, %ymm2
 vcvttps2dq {sae}, %zmm1, %zmm2
 vpcmpud $5, %zmm1, %zmm2, %k1
 vpcmpd $3, %zmm1, %zmm2, %k1
 vpternlogd $200, %zmm1, %zmm2, %zmm3
 vgatherdps (%rax,%zmm2,4), %zmm3 {%k1}
 vscatterdpd %zmm1, (%rax,%ymm2,8) {%k1}
 vpcompressd %zmm1, (%rax) {%k1}
 vmovdqu64 %zmm1, (%rax) {%k1}
 vmovdqa32 (%rax), %zmm1 {%k1} {z}
 vfpclasspsz $200, (%rax), %k1
 vfpclassps $200, %zmm1, %k1
 vfpclasspd $3, (%rax){1to8}, %k1
 vreduceps $200, %zmm1, %zmm2
 vrangeps $20, {sae}, %zmm1, %zmm2, %zmm3
 vpconflictd %zmm1, %zmm2
 vp2intersectd %zmm1, %zmm2, %k2
 vpdpbusd %zmm1, %zmm2, %zmm3
 kmovq %k1, %rax
 kmovw (%rax), %k1
 kandw %k1, %k2, %k3
 kshiftlw $3, %k1, %k2
 kortestq %k1, %k2
 jmpq *(%rax)
 jmpq *%rax
 callq *8(%rax,%rbx,8)
 callq *%rax
 notrack jmpq *%rax
 notrack jmpq *(%rax)
 notrack callq *%rax
 ljmpl *(%rax)
 jrcxz .
 jecxz .
 loop .
 loope .
 loopne .
 xbegin .
 xend
 xtest
 jo .
 jnp .
 cmovoq %rax, %rbx
 cmovnpw (%rax), %bx
 seto (%rax)
 setnp %al
 movq %fs:0, %rax
 movq %gs:8(%rax), %rbx
 movl 0x12345678, %eax
 movl -8, %eax
 movl (,%rax,8), %ebx
 movl -100(,%rax,2), %ebx
 movl (%eax), %ebx
 movl 4(%eip), %ebx
 movl %ds:(%rax), %ebx
 movl %es:(%rax), %ebx
 leaq 0(%rsp,%riz), %rax
 leal (%rax,%rbx,2), %ecx
 leaw (%rax), %cx
 rep nop
 data16 nop
 data16 data16 data16 data16 nopw %cs:512(%rax,%rax)
 .byte 0x66,0x66,0x2e,0x0f,0x1f,0x84,0,0,0,0,0
 .byte 0x66,0x90
 .byte 0x66,0x66,0x90
 .byte 0x2e,0x74,0x00
 .byte 0x3e,0x75,0x00
 .byte 0xf2,0xe9,0,0,0,0
 .byte 0xf2,0xc3
 .byte 0xf3,0xc3
 .byte 0xf2,0xff,0xe0
 .byte 0x48,0x90
 .byte 0x66,0xe8,0,0,0,0
 .byte 0x66,0x48,0x8d,0x3d,0,0,0,0
 .byte 0x66,0x66,0x48,0xe8,0,0,0,0
 .byte 0x67,0xe8,0,0,0,0
 .byte 0x0f,0x0d,0x00
 .byte 0x48,0x0f,0xc7,0x30
 tpause %eax
 umonitor %rax
 umwait %eax
 monitor
 mwait
 rdpid %rax
 rdpkru
 wbinvd
 wbnoinvd
 invd
 clac
 stac
 endbr64
 endbr32
 incsspq %rax
 rdsspq %rax
 saveprevssp
 rstorssp (%rax)
 wrssq %rax, (%rbx)
 vmcall
 vmlaunch
 vmread %rax, %rbx
 vmptrld (%rax)
 invept (%rax), %rbx
 movdir64b (%rax), %rbx
 movdiri %eax, (%rbx)
 enqcmd (%rax), %rbx
 ptwriteq %rax
 gf2p8affineqb $200, %xmm1, %xmm0
 serialize
 hreset $1
 larl %eax, %ebx
 lsl %eax, %ebx
 verr %ax
 cli
 cld
 std
 clc
 stc
 cmc
 lahf
 sahf
 xlatb
 retq
