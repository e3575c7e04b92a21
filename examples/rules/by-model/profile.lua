-- One folder of the server for each family of models: desk phones with colour
-- screens, small ones, DECT bases. A model that is not known gets the profile
-- of all.
--   in    phone.identity.PN   "CP-8841-3PCC"
--         phone.rule          { name =, text = } of Profile_Rule to _D
--   out   a plan, as classic.profile() makes it

local SERVER <const> = "https://prov.example.com/"

local FAMILIES <const> = {
  { "^CP%-88", "colour" }, { "^CP%-78", "desk" }, { "^CP%-68", "small" },
  { "^DBS%-", "dect" },
}

local function family_of(model)
  for _, one in ipairs(FAMILIES) do
    if model:find(one[1]) then return one[2] end
  end
  return "all"
end

local function decide(phone)
  if phone.rule.name ~= "Profile_Rule" then
    return classic.profile(phone)
  end
  return classic.profile(phone,
    SERVER .. family_of(phone.identity.PN) .. "/$MA.xml")
end

return { stage = "profile", decide = decide }
