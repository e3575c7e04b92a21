std = "lua54"
max_line_length = 80
exclude_files = { ".deps", "build*" }
-- Many rules and handlers keep the shape of their call.
unused_args = false

files["tests"] = { std = "lua54+busted" }
