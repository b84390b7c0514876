"""Reads property lists as strictly as Apple's DTD has it, and prints what each holds as JSON.

plistlib alone takes a key twice, text between elements and attributes where none may be.
"""

import json
import plistlib
import sys
import xml.etree.ElementTree as ElementTree

SCALARS = {"string", "integer", "real", "true", "false", "date", "data"}


def check(element, path):
    if element.attrib:
        raise ValueError(f"{path}: an attribute")
    if element.tag in SCALARS:
        if len(element):
            raise ValueError(f"{path}: elements in a {element.tag}")
        if element.tag in ("true", "false") and element.text:
            raise ValueError(f"{path}: text in a {element.tag}")
        if element.tag == "integer":
            int(element.text)
        return
    if element.tag not in ("dict", "array"):
        raise ValueError(f"{path}: a {element.tag}")
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        raise ValueError(f"{path}: text between elements")
    if element.tag == "array":
        for at, child in enumerate(element):
            check(child, f"{path}[{at}]")
        return
    children = list(element)
    keys = [child.text for child in children[::2]]
    if len(children) % 2 or any(child.tag != "key" for child in children[::2]):
        raise ValueError(f"{path}: keys and values do not alternate")
    if len(set(keys)) != len(keys):
        raise ValueError(f"{path}: a key twice")
    for key, child in zip(keys, children[1::2]):
        check(child, f"{path}.{key}")


def read(path):
    data = open(path, "rb").read()
    if b'"-//Apple//DTD PLIST 1.0//EN"' not in data:
        raise ValueError("not Apple's document type")
    root = ElementTree.fromstring(data)
    if root.tag != "plist" or root.attrib != {"version": "1.0"} or len(root) != 1:
        raise ValueError("not one property list of version 1.0")
    check(root[0], "")
    return plistlib.loads(data, fmt=plistlib.FMT_XML)


found = []
for name in sys.argv[1:]:
    try:
        found.append({"content": read(name)})
    except Exception as error:
        found.append({"refused": str(error)})
print(json.dumps(found))
