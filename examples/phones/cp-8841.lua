-- A CP-8841 with multiplatform firmware, for trying things by hand.
--   identity   what macros such as $PN and $MA show
--   params     parameters a new store begins with
--   state      timers and the like, fixed; leave out to have them measured
--   trust      { ca =, cert =, key = }: PEM files, paths relative to this one
-- Also: store, rules, registry (paths), dns ("127.0.0.1:5353"), dhcp
-- ({ ["66"] = "192.168.1.200" }), account ({ user =, password = }), device.
return {
  identity = {
    PN = "CP-8841-3PCC",
    PSN = "8841-3PCC",
    MAC = "000e08abcdef",
    SN = "88012BA01234",
    SWVER = "sip88xx.11-3-1MPP-234",
    HWVER = "2.0.1",
    IP = "192.168.1.100",
    EXTIP = "66.43.16.52",
    CCERT = "Installed",
  },
  params = {
    GPP_A = "ABCDEF",
    GPP_B = "Dj6Lmp23Q",
    GPP_D = "$MA",
    GPP_E = "x | http://evil/",
    GPP_SA = "MyUserID",
    GPP_SB = 'My "Secret" Pass',
    GPP_SC = "k3y",
    User_ID_1_ = '1001" eq "',
  },
  state = {
    PRVST = 1,
    PRVTMR = 900,
    UPGTMR = 4000,
    REGTMR1 = 0,
  },
}
