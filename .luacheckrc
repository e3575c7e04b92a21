std = "lua54"
max_line_length = 80
exclude_files = { ".deps", "build*" }
-- Many rules and handlers keep the shape of their call.
unused_args = false

files["tests"] = { std = "lua54+busted" }
-- What the engine hands a rule file.
local rule_file = { std = "lua54",
  read_globals = { "classic", "condition", "macro", "str", "time",
    "version" } }
files["rules"] = rule_file
files["examples/rules"] = rule_file
