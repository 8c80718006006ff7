  ;; +XZONE="<country>" gives the zone that the postage table knows, by ISO 3166-1 code: a command that no device has by itself.
  (data (i32.const 0) "domesticeuropeworld")
  (data (i32.const 64) "ATBEBGCHCYCZDKEEESFIFRGBGRHRHUIEISITLILTLULVMTNLNOPLPTROSESISK")
  (global $countries_end i32 (i32.const 126))

  (func (export "fob_call") (param $command i32) (param $in i32) (param $size i32) (result i64)
    (local $country i32) (local $known i32)
    (if (i32.eqz (call $begin (local.get $in) (local.get $size) (i64.const 1))) (then (return (i64.const 0))))
    (local.set $country (call $text))
    (if (i64.ne (global.get $argument) (i64.const 2)) (then (return (i64.const 0))))
    (call $put_head (i32.const 4) (i32.const 1))
    (if (i32.eq (i32.load16_u (local.get $country)) (i32.const 0x4544))  ;; "DE"
      (then (call $put_text (i32.const 0) (i32.const 8)) (return (call $answer (i32.const 8192)))))
    (local.set $known (i32.const 64))
    (loop $more
      (if (i32.eq (i32.load16_u (local.get $country)) (i32.load16_u (local.get $known)))
        (then (call $put_text (i32.const 8) (i32.const 6)) (return (call $answer (i32.const 8192)))))
      (local.set $known (i32.add (local.get $known) (i32.const 2)))
      (br_if $more (i32.lt_u (local.get $known) (global.get $countries_end))))
    (call $put_text (i32.const 14) (i32.const 5))
    (call $answer (i32.const 8192)))
