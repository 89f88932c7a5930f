;; Work on packet memory by vector instructions, in place. Each function has a twin in TypeScript that gives the same answers:
;; plain-sums.ts, toeplitz.ts. `npm run assemble` makes vector-code.ts of this file: once as it stands, once with the word `shared`
;; behind the memory's size, as a module must say which of the two it works on.
;;
;; Offsets are absolute and below 2^30. Nothing is checked here: what lies outside of the memory traps.

(module
  (import "packets" "memory" (memory 1 16384))

  ;; The sum of RFC 1071 of the bytes from $at to $end, at most 256 KiB: 16-bit words with their carries going round, not inverted.
  ;;
  ;; 16 bytes at a time: four words of 32 bits, read little-endian as the processor does, are added to $all, and their high halves
  ;; to $high. $all overflows, but what the low halves add up to does not, within 256 KiB, so it is $all - $high * 2^16 all the
  ;; same. That is an instruction fewer than to add the low halves by themselves. The result is turned at the end (RFC 1071 2 B).
  (func (export "sum") (param $at i32) (param $end i32) (result i32)
    (local $all v128) (local $high v128) (local $v v128) (local $rest i32)

    (block $few
      (br_if $few (i32.lt_s (i32.sub (local.get $end) (local.get $at)) (i32.const 64)))
      (loop $more
        (local.set $v (v128.load (local.get $at)))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $v (v128.load offset=16 (local.get $at)))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $v (v128.load offset=32 (local.get $at)))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $v (v128.load offset=48 (local.get $at)))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br_if $more (i32.ge_s (i32.sub (local.get $end) (local.get $at)) (i32.const 64)))))

    (block $none
      (br_if $none (i32.lt_s (i32.sub (local.get $end) (local.get $at)) (i32.const 16)))
      (loop $more
        (local.set $v (v128.load (local.get $at)))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br_if $more (i32.ge_s (i32.sub (local.get $end) (local.get $at)) (i32.const 16)))))

    ;; 8, 4, 2 and 1 of the last 15 bytes.
    (local.set $rest (i32.sub (local.get $end) (local.get $at)))
    (if (i32.and (local.get $rest) (i32.const 8))
      (then
        (local.set $v (v128.load64_zero (local.get $at)))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))))
    (if (i32.and (local.get $rest) (i32.const 4))
      (then
        (local.set $v (v128.load32_zero (local.get $at)))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))))
    (if (i32.and (local.get $rest) (i32.const 2))
      (then
        (local.set $all (i32x4.add (local.get $all) (i32x4.replace_lane 0 (v128.const i32x4 0 0 0 0) (i32.load16_u (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))))
    (if (i32.and (local.get $rest) (i32.const 1))
      (then
        (local.set $all (i32x4.add (local.get $all) (i32x4.replace_lane 0 (v128.const i32x4 0 0 0 0) (i32.load8_u (local.get $at)))))))

    (call $finish (local.get $all) (local.get $high)))

  ;; Copies $count bytes, at most 256 KiB, from $from to $to, which do not overlap, and returns their sum.
  (func (export "copyAndSum") (param $from i32) (param $to i32) (param $count i32) (result i32)
    (local $all v128) (local $high v128) (local $v v128)

    (block $few
      (br_if $few (i32.lt_s (local.get $count) (i32.const 64)))
      (loop $more
        (local.set $v (v128.load (local.get $from)))
        (v128.store (local.get $to) (local.get $v))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $v (v128.load offset=16 (local.get $from)))
        (v128.store offset=16 (local.get $to) (local.get $v))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $v (v128.load offset=32 (local.get $from)))
        (v128.store offset=32 (local.get $to) (local.get $v))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $v (v128.load offset=48 (local.get $from)))
        (v128.store offset=48 (local.get $to) (local.get $v))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $from (i32.add (local.get $from) (i32.const 64)))
        (local.set $to (i32.add (local.get $to) (i32.const 64)))
        (local.set $count (i32.sub (local.get $count) (i32.const 64)))
        (br_if $more (i32.ge_s (local.get $count) (i32.const 64)))))

    (block $none
      (br_if $none (i32.lt_s (local.get $count) (i32.const 16)))
      (loop $more
        (local.set $v (v128.load (local.get $from)))
        (v128.store (local.get $to) (local.get $v))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 16)))
        (br_if $more (i32.ge_s (local.get $count) (i32.const 16)))))

    (if (i32.and (local.get $count) (i32.const 8))
      (then
        (local.set $v (v128.load64_zero (local.get $from)))
        (v128.store64_lane 0 (local.get $to) (local.get $v))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (local.set $to (i32.add (local.get $to) (i32.const 8)))))
    (if (i32.and (local.get $count) (i32.const 4))
      (then
        (local.set $v (v128.load32_zero (local.get $from)))
        (v128.store32_lane 0 (local.get $to) (local.get $v))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $from (i32.add (local.get $from) (i32.const 4)))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))))
    (if (i32.and (local.get $count) (i32.const 2))
      (then
        (local.set $v (i32x4.replace_lane 0 (v128.const i32x4 0 0 0 0) (i32.load16_u (local.get $from))))
        (v128.store16_lane 0 (local.get $to) (local.get $v))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))
        (local.set $from (i32.add (local.get $from) (i32.const 2)))
        (local.set $to (i32.add (local.get $to) (i32.const 2)))))
    (if (i32.and (local.get $count) (i32.const 1))
      (then
        (local.set $v (i32x4.replace_lane 0 (v128.const i32x4 0 0 0 0) (i32.load8_u (local.get $from))))
        (v128.store8_lane 0 (local.get $to) (local.get $v))
        (local.set $all (i32x4.add (local.get $all) (local.get $v)))))

    (call $finish (local.get $all) (local.get $high)))

  ;; The four lanes added, the halves told apart, folded to 16 bits, and turned to network order.
  (func $finish (param $all v128) (param $high v128) (result i32)
    (local $low i32) (local $sum i32)
    (local.set $all
      (i32x4.add (local.get $all) (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $all) (local.get $all))))
    (local.set $high
      (i32x4.add (local.get $high) (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $high) (local.get $high))))
    (local.set $sum (i32.add (i32x4.extract_lane 0 (local.get $high)) (i32x4.extract_lane 1 (local.get $high))))
    (local.set $low
      (i32.sub
        (i32.add (i32x4.extract_lane 0 (local.get $all)) (i32x4.extract_lane 1 (local.get $all)))
        (i32.shl (local.get $sum) (i32.const 16))))
    ;; Four parts of 16 bits: less than 2^18, so that folding twice is enough.
    (local.set $sum
      (i32.add
        (i32.add (i32.and (local.get $sum) (i32.const 0xffff)) (i32.shr_u (local.get $sum) (i32.const 16)))
        (i32.add (i32.and (local.get $low) (i32.const 0xffff)) (i32.shr_u (local.get $low) (i32.const 16)))))
    (local.set $sum (i32.add (i32.and (local.get $sum) (i32.const 0xffff)) (i32.shr_u (local.get $sum) (i32.const 16))))
    (local.set $sum (i32.add (i32.and (local.get $sum) (i32.const 0xffff)) (i32.shr_u (local.get $sum) (i32.const 16))))
    (i32.or (i32.shl (i32.and (local.get $sum) (i32.const 0xff)) (i32.const 8)) (i32.shr_u (local.get $sum) (i32.const 8))))

  ;; The Toeplitz hash of $count bytes at $at: 4, 8, 12 ... 36. $windows: for each four bytes of the input 8 vectors, one for each
  ;; bit of a byte, the highest first; their lanes are the 32 bits of the key that begin at this bit of the first byte, the second,
  ;; the third and the fourth.
  ;;
  ;; Each byte of the input stands four times in $bytes, once for each byte of its lane. The sign of a byte is its next bit; it masks
  ;; the windows that are hashed.
  (func (export "toeplitz") (param $windows i32) (param $at i32) (param $count i32) (result i32)
    (local $end i32) (local $bytes v128) (local $hash v128) (local $zero v128)
    (local.set $end (i32.add (local.get $at) (local.get $count)))
    (loop $more
      (local.set $bytes (v128.load32_zero (local.get $at)))
      (local.set $bytes (i8x16.shuffle 0 0 0 0 1 1 1 1 2 2 2 2 3 3 3 3 (local.get $bytes) (local.get $bytes)))
      (local.set $hash
        (v128.xor (local.get $hash)
          (v128.and (i8x16.lt_s (local.get $bytes) (local.get $zero)) (v128.load (local.get $windows)))))
      (local.set $bytes (i8x16.add (local.get $bytes) (local.get $bytes)))
      (local.set $hash
        (v128.xor (local.get $hash)
          (v128.and (i8x16.lt_s (local.get $bytes) (local.get $zero)) (v128.load offset=16 (local.get $windows)))))
      (local.set $bytes (i8x16.add (local.get $bytes) (local.get $bytes)))
      (local.set $hash
        (v128.xor (local.get $hash)
          (v128.and (i8x16.lt_s (local.get $bytes) (local.get $zero)) (v128.load offset=32 (local.get $windows)))))
      (local.set $bytes (i8x16.add (local.get $bytes) (local.get $bytes)))
      (local.set $hash
        (v128.xor (local.get $hash)
          (v128.and (i8x16.lt_s (local.get $bytes) (local.get $zero)) (v128.load offset=48 (local.get $windows)))))
      (local.set $bytes (i8x16.add (local.get $bytes) (local.get $bytes)))
      (local.set $hash
        (v128.xor (local.get $hash)
          (v128.and (i8x16.lt_s (local.get $bytes) (local.get $zero)) (v128.load offset=64 (local.get $windows)))))
      (local.set $bytes (i8x16.add (local.get $bytes) (local.get $bytes)))
      (local.set $hash
        (v128.xor (local.get $hash)
          (v128.and (i8x16.lt_s (local.get $bytes) (local.get $zero)) (v128.load offset=80 (local.get $windows)))))
      (local.set $bytes (i8x16.add (local.get $bytes) (local.get $bytes)))
      (local.set $hash
        (v128.xor (local.get $hash)
          (v128.and (i8x16.lt_s (local.get $bytes) (local.get $zero)) (v128.load offset=96 (local.get $windows)))))
      (local.set $bytes (i8x16.add (local.get $bytes) (local.get $bytes)))
      (local.set $hash
        (v128.xor (local.get $hash)
          (v128.and (i8x16.lt_s (local.get $bytes) (local.get $zero)) (v128.load offset=112 (local.get $windows)))))
      (local.set $windows (i32.add (local.get $windows) (i32.const 128)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $more (i32.lt_s (local.get $at) (local.get $end))))
    (local.set $hash
      (v128.xor (local.get $hash) (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $hash) (local.get $hash))))
    (i32.xor (i32x4.extract_lane 0 (local.get $hash)) (i32x4.extract_lane 1 (local.get $hash)))))
