  ;; What every module with commands needs: values in (CBOR), values out, and the data that it depends on.
  ;; Memory: constants below 4096, the answer from 8192, the values given from 65536, data from 131072.
  (import "fob" "data_size" (func $data_size (param i32 i32) (result i32)))
  (import "fob" "data_read" (func $data_read (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)

  (global $at (mut i32) (i32.const 0))        ;; where reading goes on
  (global $end (mut i32) (i32.const 0))       ;; where the values end
  (global $major (mut i32) (i32.const 0))     ;; of the last head: its type
  (global $argument (mut i64) (i64.const 0))  ;; and its number
  (global $out (mut i32) (i32.const 8192))    ;; where writing goes on
  (global $is_wrong (mut i32) (i32.const 0))  ;; a value of another type was met

  (func (export "fob_alloc") (param $size i32) (result i32) (i32.const 65536))

  ;; Begin to read: an array of so many values. 0 if it is another.
  (func $begin (param $at i32) (param $size i32) (param $count i64) (result i32)
    (global.set $at (local.get $at))
    (global.set $end (i32.add (local.get $at) (local.get $size)))
    (call $head)
    (i32.and (i32.eq (global.get $major) (i32.const 4)) (i64.eq (global.get $argument) (local.get $count))))

  (func $octet (result i32)
    (if (i32.ge_u (global.get $at) (global.get $end)) (then (global.set $is_wrong (i32.const 1)) (return (i32.const 0))))
    (global.set $at (i32.add (global.get $at) (i32.const 1)))
    (i32.load8_u (i32.sub (global.get $at) (i32.const 1))))

  (func $head (local $first i32) (local $left i32)
    (local.set $first (call $octet))
    (global.set $major (i32.shr_u (local.get $first) (i32.const 5)))
    (local.set $first (i32.and (local.get $first) (i32.const 31)))
    (if (i32.lt_u (local.get $first) (i32.const 24))
      (then (global.set $argument (i64.extend_i32_u (local.get $first))) (return)))
    (local.set $left (i32.shl (i32.const 1) (i32.sub (local.get $first) (i32.const 24))))
    (global.set $argument (i64.const 0))
    (loop $more
      (global.set $argument
        (i64.or (i64.shl (global.get $argument) (i64.const 8)) (i64.extend_i32_u (call $octet))))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $more (local.get $left))))

  ;; The next value, a number.
  (func $number (result i64)
    (call $head)
    (if (global.get $major) (then (global.set $is_wrong (i32.const 1))))
    (global.get $argument))

  ;; The next value, a text: where it stands; its octets are $argument.
  (func $text (result i32) (local $begin i32)
    (call $head)
    (if (i32.ne (global.get $major) (i32.const 3)) (then (global.set $is_wrong (i32.const 1))))
    (local.set $begin (global.get $at))
    (global.set $at (i32.add (global.get $at) (i32.wrap_i64 (global.get $argument))))
    (local.get $begin))

  (func $put (param $octet i32)
    (i32.store8 (global.get $out) (local.get $octet))
    (global.set $out (i32.add (global.get $out) (i32.const 1))))

  (func $put_head (param $major i32) (param $argument i32)
    (local.set $major (i32.shl (local.get $major) (i32.const 5)))
    (if (i32.lt_u (local.get $argument) (i32.const 24))
      (then (call $put (i32.or (local.get $major) (local.get $argument))) (return)))
    (if (i32.lt_u (local.get $argument) (i32.const 256))
      (then (call $put (i32.or (local.get $major) (i32.const 24))) (call $put (local.get $argument)) (return)))
    (if (i32.lt_u (local.get $argument) (i32.const 65536))
      (then
        (call $put (i32.or (local.get $major) (i32.const 25)))
        (call $put (i32.shr_u (local.get $argument) (i32.const 8)))
        (call $put (local.get $argument))
        (return)))
    (call $put (i32.or (local.get $major) (i32.const 26)))
    (call $put (i32.shr_u (local.get $argument) (i32.const 24)))
    (call $put (i32.shr_u (local.get $argument) (i32.const 16)))
    (call $put (i32.shr_u (local.get $argument) (i32.const 8)))
    (call $put (local.get $argument)))

  (func $put_octets (param $from i32) (param $size i32)
    (memory.copy (global.get $out) (local.get $from) (local.get $size))
    (global.set $out (i32.add (global.get $out) (local.get $size))))

  (func $put_text (param $from i32) (param $size i32)
    (call $put_head (i32.const 3) (local.get $size))
    (call $put_octets (local.get $from) (local.get $size)))

  ;; The answer from a place to where writing has come; 0, which means wrong values, if one was of another type.
  (func $answer (param $from i32) (result i64)
    (if (global.get $is_wrong) (then (return (i64.const 0))))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $from)) (i64.const 32))
      (i64.extend_i32_u (i32.sub (global.get $out) (local.get $from)))))

  ;; Whether so many octets are the same in two places.
  (func $is_same (param $one i32) (param $other i32) (param $size i32) (result i32)
    (loop $more
      (if (i32.eqz (local.get $size)) (then (return (i32.const 1))))
      (if (i32.ne (i32.load8_u (local.get $one)) (i32.load8_u (local.get $other))) (then (return (i32.const 0))))
      (local.set $one (i32.add (local.get $one) (i32.const 1)))
      (local.set $other (i32.add (local.get $other) (i32.const 1)))
      (local.set $size (i32.sub (local.get $size) (i32.const 1)))
      (br $more))
    (unreachable))

  ;; A data component, copied to 131072: its octets, or -1.
  (func $load (param $name i32) (param $size i32) (result i32)
    (call $data_read (local.get $name) (local.get $size) (i32.const 0) (i32.const 131072) (i32.const 131072)))
