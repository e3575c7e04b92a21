-- A maker's registry file: the parameters of a phone that the built-in registry
-- does not have, and those that the maker wants otherwise. Name it in the
-- phone file (registry = "acme.lua"). All keys of an entry are listed in
-- scripts/peal/registry.lua.
--
-- The file returns a list. It runs with nothing but the language itself: no
-- libraries, no files.

return {
  -- A new parameter.
  {
    name = "Acme_Door_Relay_Time", type = "Uns", bits = 16, default = "3",
    lo = 1, hi = 60, unit = "s", group = "Acme Door",
    doc = "How long the relay stays closed when the door is opened.",
  },

  -- One for each of eight keys: Acme_Key_Colour_1_ to Acme_Key_Colour_8_.
  {
    name = "Acme_Key_Colour_n_", type = "Choice", count = 8, ua = "rw",
    choices = { "Off", "Red", "Green", "Amber" }, default = "Off",
    group = "Acme Keys",
    doc = "Colour of the key's lamp when the line is idle.",
  },

  -- Several that are alike.
  {
    names = "Acme_Door_Pin Acme_Alarm_Pin", type = "Str", max = 8,
    secret = true, group = "Acme Door",
    doc = "Digits that open the door, or silence the alarm.",
  },

  -- The same name again replaces what the built-in registry says of it.
  {
    name = "Resync_Periodic", type = "Schedule", default = "86400", unit = "s",
    doc = "Once a day is enough for these phones.",
  },
}
