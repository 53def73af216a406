-- A filter for pandoc: code and divisions with data attributes become formulas, raw text, metadata and
-- footnotes, which pandoc's HTML reader does not make of HTML, or not in old versions.
local meta, notes = {}, {}
local function raw(make)
  return function(element)
    local form = element.attributes.raw
    local math = form == "InlineMath" or form == "DisplayMath"
    return form and (math and pandoc.Math or make)(form, element.attributes["raw-text"])
  end
end
local function take(element)
  local key, note = element.attributes.meta, element.attributes.note
  if key then meta[key] = element.content[1].content end
  if note then notes[note] = element.content end
  return (key or note) and {}
end
local function note(element)
  local key = element.attributes.note
  return key and pandoc.Note(notes[key])
end
local function add(found)
  for key, value in pairs(meta) do found[key] = value end
  return found
end
return {
  {Code = raw(pandoc.RawInline), CodeBlock = raw(pandoc.RawBlock)},
  {Div = take, Meta = add},
  {Code = note},
}
