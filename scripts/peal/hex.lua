--- Octets as small hexadecimal digits, two each.
return function(octets)
  return (octets:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end
